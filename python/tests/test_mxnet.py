"""trims.mxnet: MXNet over shared arrays. Runs in .venv-mxnet (python/tests/run.sh package); elsewhere there is no MXNet to test."""

import json
import os
import subprocess
import sys

import numpy
import pytest

pytest.importorskip("mxnet", reason="MXNet has a virtual environment of its own, .venv-mxnet (scripts/setup)")

import mxnet  # noqa: E402
import trims  # noqa: E402
from trims import mxnet as mx  # noqa: E402

SHAPE = (2, 3, 12, 12)


def network():
    """All operators whose weights MKL-DNN lays out anew, and a batch normalisation, which has states."""
    x = mxnet.sym.Convolution(mxnet.sym.var("data"), num_filter=16, kernel=(3, 3), pad=(1, 1), name="conv")
    x = mxnet.sym.BatchNorm(x, fix_gamma=False, name="norm")
    x = mxnet.sym.Convolution(mxnet.sym.relu(x), num_filter=16, kernel=(3, 3), num_group=4, no_bias=True, name="grouped")
    x = mxnet.sym.Deconvolution(x, num_filter=8, kernel=(2, 2), stride=(2, 2), name="deconv")
    return mxnet.sym.softmax(mxnet.sym.FullyConnected(x, num_hidden=10, name="dense"), name="answer")


@pytest.fixture(scope="module")
def checkpoint(daemon, tmp_path_factory):
    """(the model's name, the prefix of its files, a picture)"""
    symbol, random = network(), numpy.random.default_rng(1)
    shapes, _, states = symbol.infer_shape(data=SHAPE)
    draw = lambda shape: mxnet.nd.array(random.random(shape, numpy.float32) * 0.2)
    arguments = {name: draw(shape) for name, shape in zip(symbol.list_arguments(), shapes) if name != "data"}
    auxiliary = {name: draw(shape) + 0.5 for name, shape in zip(symbol.list_auxiliary_states(), states)}
    prefix = str(tmp_path_factory.mktemp("mxnet") / "net")
    mxnet.model.save_checkpoint(prefix, 3, symbol, arguments, auxiliary)
    trims.add("mxnet-net", f"{prefix}-0003.params")
    return "mxnet-net", prefix, random.random(SHAPE, numpy.float32)


def computed(module, picture):
    module.forward(mxnet.io.DataBatch([mxnet.nd.array(picture)]))
    return module.get_outputs()[0].asnumpy()


def bound(kind, symbol, arguments, states):
    module = kind(symbol, label_names=None)
    module.bind([("data", SHAPE)], for_training=False)
    module.set_params(arguments, states)
    return module


@pytest.fixture(scope="module")
def wanted(checkpoint):
    _, prefix, picture = checkpoint
    return computed(bound(mxnet.mod.Module, *mxnet.model.load_checkpoint(prefix, 3)), picture)


def test_a_checkpoint_by_name_is_the_one_of_its_files(checkpoint):
    name, prefix, _ = checkpoint
    found, kept = mx.model.load_checkpoint(name, 3), mxnet.model.load_checkpoint(prefix, 3)
    assert json.loads(found[0].tojson()) == json.loads(kept[0].tojson())
    for ours, theirs in zip(found[1:], kept[1:]):
        assert set(ours) == set(theirs)
        for key, array in ours.items():
            assert isinstance(array, mx.SharedNDArray)
            numpy.testing.assert_array_equal(array.asnumpy(), theirs[key].asnumpy())


def test_a_module_answers_the_same_each_time_and_copies_nothing(checkpoint, wanted):
    name, _, picture = checkpoint
    symbol, arguments, states = mx.model.load_checkpoint(name, 3)
    module = bound(mx.mod.Module, symbol, arguments, states)
    for _ in range(3):
        numpy.testing.assert_array_equal(computed(module, picture), wanted)
    assert all(module.get_params()[0][key] is array for key, array in arguments.items())
    assert all(module._exec_group.execs[0].arg_dict[key] is array for key, array in arguments.items())


def test_weights_lie_as_they_did_after_they_were_used(checkpoint, wanted):
    name, prefix, picture = checkpoint
    symbol, arguments, states = mx.model.load_checkpoint(name, 3)
    computed(bound(mx.mod.Module, symbol, arguments, states), picture)
    for key, array in mxnet.model.load_checkpoint(prefix, 3)[1].items():
        numpy.testing.assert_array_equal(arguments[key].asnumpy(), array.asnumpy())


def test_loaded_modules_and_executors_answer_the_same(checkpoint, wanted):
    name, _, picture = checkpoint
    module = mx.mod.Module.load(name, 3, label_names=None)
    module.bind([("data", SHAPE)], for_training=False)
    numpy.testing.assert_array_equal(computed(module, picture), wanted)
    symbol, arguments, states = mx.model.load_checkpoint(name, 3)
    executor = symbol.bind(mx.cpu(), arguments | {"data": mx.nd.array(picture)}, grad_req="null", aux_states=states)
    numpy.testing.assert_array_equal(executor.forward(is_train=False)[0].asnumpy(), wanted)


def test_another_batch_is_bound_again_over_the_same_arrays(checkpoint, wanted):
    name, _, picture = checkpoint
    symbol, arguments, states = mx.model.load_checkpoint(name, 3)
    module = bound(mx.mod.Module, symbol, arguments, states)
    numpy.testing.assert_allclose(computed(module, picture[:1]), wanted[:1], rtol=1e-3)


def test_arrays_of_ones_own_are_laid_out_as_before(checkpoint, wanted):
    """The operators' own layout is kept from shared arrays only."""
    _, prefix, picture = checkpoint
    symbol, arguments, states = mx.model.load_checkpoint(prefix, 3)
    executor = symbol.bind(mx.cpu(), arguments | {"data": mx.nd.array(picture)}, grad_req="null", aux_states=states)
    numpy.testing.assert_array_equal(executor.forward(is_train=False)[0].asnumpy(), wanted)


def ones(array):
    array[:] = 1


# What gives an array over the same memory.
VIEWS = {
    "itself": lambda array: array, "detach": lambda array: array.detach(), "row": lambda array: array[0], "last": lambda array: array[-1],
    "rows": lambda array: array[1:3], "rows_of_all": lambda array: array[1:3, :], "contiguous": lambda array: array[0, 1:3],
    "element": lambda array: array[0, 0, 0, 0], "new_axis": lambda array: array[None, 0:2], "ellipsis": lambda array: array[...],
    "reshape": lambda array: array.reshape((-1,)), "flatten": lambda array: array.flatten(inplace=True),
    "expand_dims": lambda array: array.expand_dims(0, inplace=True), "squeeze": lambda array: array.squeeze(inplace=True),
    "as_nd_ndarray": lambda array: array.as_nd_ndarray(), "astype": lambda array: array.astype("float32", copy=False),
    "as_in_context": lambda array: array.as_in_context(mxnet.cpu()), "vector": lambda array: array.reshape((-1,)).T,
    "twice": lambda array: array.detach()[1:3, :].detach()}

WRITES = {
    "all": ones, "some": lambda array: array.__setitem__(0, 1), "numpy": lambda array: array.__setitem__(slice(None), numpy.ones(array.shape)),
    "array": lambda array: array.__setitem__(slice(None), mxnet.nd.ones(array.shape)), "some_of": lambda array: array.__setitem__([0], 1),
    "add": lambda array: array.__iadd__(1), "subtract": lambda array: array.__isub__(1), "multiply": lambda array: array.__imul__(2),
    "divide": lambda array: array.__itruediv__(2), "modulo": lambda array: array.__imod__(2), "gradient": lambda array: array.attach_grad(),
    "scalar": lambda array: array.slice_assign_scalar(1, (0,), (1,), (None,)),
    "slice": lambda array: array.slice_assign(mxnet.nd.ones(array[0:1].shape), (0,), (1,), (None,)),
    "dlpack": lambda array: array.to_dlpack_for_write()}


@pytest.mark.parametrize("view", VIEWS)
def test_what_an_array_gives_of_itself_is_shared_and_read_only(checkpoint, view):
    array = VIEWS[view](mx.model.load_params(checkpoint[0])[0]["conv_weight"])
    assert isinstance(array, mx.SharedNDArray) and not array.writable
    with pytest.raises(ValueError, match="can't be written to"):
        ones(array)


@pytest.mark.parametrize("write", WRITES)
def test_what_would_write_raises(checkpoint, write):
    array = mx.model.load_params(checkpoint[0])[0]["conv_weight"]
    with pytest.raises(ValueError, match="can't be written to|readonly"):
        WRITES[write](array)


@pytest.mark.parametrize("copied", [
    lambda array: array.copy(), lambda array: array.as_np_ndarray(), lambda array: array[:, 0], lambda array: array[[0, 1]],
    lambda array: array.detach().copy(), lambda array: array.astype("float32"), lambda array: mxnet.nd.identity(array)])
def test_copies_may_be_written_to(checkpoint, copied):
    array = mx.model.load_params(checkpoint[0])[0]["conv_weight"]
    before = array.asnumpy()
    own = copied(array)
    numpy.testing.assert_array_equal(own.asnumpy().ravel()[:9], before.ravel()[:9])
    ones(own)
    assert (own.asnumpy() == 1).all()
    numpy.testing.assert_array_equal(array.asnumpy(), before)


def test_a_detached_array_holds_the_model(checkpoint):
    array = mx.model.load_params(checkpoint[0])[0]["conv_weight"]
    wanted, kept = array.asnumpy(), array.detach()[1:3, :]
    del array
    numpy.testing.assert_array_equal(kept.asnumpy(), wanted[1:3])


def test_training_copies(checkpoint):
    name, _, picture = checkpoint
    symbol, arguments, states = mx.model.load_checkpoint(name, 3)
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", SHAPE)], for_training=True)
    module.set_params(arguments, states)
    own = module._exec_group.execs[0].arg_dict["conv_weight"]
    own[:] = 1
    assert (arguments["conv_weight"].asnumpy() != 1).any()


def test_parameters_that_lack_or_are_too_many_are_named(checkpoint):
    symbol, arguments, states = mx.model.load_checkpoint(checkpoint[0], 3)
    weight = arguments.pop("conv_weight")
    with pytest.raises(RuntimeError, match="conv_weight is not presented"):
        bound(mx.mod.Module, symbol, arguments, states)
    with pytest.raises(ValueError, match="more"):
        bound(mx.mod.Module, symbol, arguments | {"conv_weight": weight, "more": weight}, states)


def test_another_epoch_format_or_name_is_said(checkpoint, small, tmp_path):
    with pytest.raises(trims.InvalidArgument, match="of epoch 3: expected 4"):
        mx.model.load_checkpoint(checkpoint[0], 4)
    with pytest.raises(trims.FailedPrecondition, match="is safetensors: expected an MXNet checkpoint"):
        mx.model.load_checkpoint(small[0], 0)
    with pytest.raises(trims.NotFound, match="mxnet-nett"):
        mx.model.load_checkpoint("mxnet-nett", 3)
    mxnet.nd.save(str(tmp_path / "bare.params"), {"arg:w": mxnet.nd.ones((2,))})
    trims.add("mxnet-bare", tmp_path / "bare.params")
    with pytest.raises(trims.FailedPrecondition, match="without a symbol"):
        mx.model.load_checkpoint("mxnet-bare", 0)
    assert mx.model.load_params("mxnet-bare", 0)[0]["w"].asnumpy().tolist() == [1, 1]


def test_files_are_mxnets_own(checkpoint):
    symbol, arguments, _ = mx.model.load_checkpoint(checkpoint[1], 3)
    assert type(arguments["conv_weight"]) is mxnet.nd.NDArray
    assert mx.nd is mxnet.nd and mx.model.FeedForward is mxnet.model.FeedForward


def test_a_process_ends_well_whatever_it_still_holds(checkpoint):
    script = "from trims import mxnet as mx\nimport sys\nkept = mx.model.load_checkpoint(sys.argv[1], 3)\nprint(len(kept[1]))"
    done = subprocess.run([sys.executable, "-c", script, checkpoint[0]], capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
