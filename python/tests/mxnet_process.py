"""What MXNet makes of symbols and checkpoints, in a process of .venv-mxnet: lines of JSON in, lines of JSON out.

{"symbol": text, "data": shape}        -> {"arguments": {name: shape}, "states": {name: shape}, "answer": shape}
{"prefix": prefix, "picture": .npy}    -> {"answer": numbers}
"""
import json
import sys

import mxnet
import numpy


def shapes(asked):
    symbol = mxnet.sym.load_json(asked["symbol"])
    arguments, answers, states = symbol.infer_shape(data=tuple(asked["data"]))
    return {"arguments": dict(zip(symbol.list_arguments(), arguments)), "states": dict(zip(symbol.list_auxiliary_states(), states)),
            "answer": answers[0]}


def computed(asked):
    symbol, arguments, states = mxnet.model.load_checkpoint(asked["prefix"], 0)
    data = mxnet.nd.array(numpy.load(asked["picture"]))
    executor = symbol.bind(mxnet.cpu(), arguments | {"data": data}, grad_req="null", aux_states=states)
    return {"answer": executor.forward(is_train=False)[0].asnumpy().tolist()}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(shapes(request) if "symbol" in request else computed(request)), flush=True)
