"""ONNX: mutated models. What ONNX Runtime loads, TrIMS takes, and each tensor that is used has the bytes that ONNX Runtime computes with."""

import hashlib
import math
import resource

import numpy
import onnx
import onnxruntime
from differential import Verdict, main
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
# A damaged sparse tensor may claim any size, and ONNX Runtime makes it dense: that has to be a refusal soon.
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

# What ONNX Runtime gives as an array, and how it may be written in typed fields.
NUMPY = {TensorProto.FLOAT: ("f4", "float_data"), TensorProto.DOUBLE: ("f8", "double_data"), TensorProto.INT32: ("i4", "int32_data"),
         TensorProto.INT64: ("i8", "int64_data"), TensorProto.UINT8: ("u1", "int32_data"), TensorProto.INT8: ("i1", "int32_data"),
         TensorProto.UINT16: ("u2", "int32_data"), TensorProto.INT16: ("i2", "int32_data"), TensorProto.BOOL: ("?", "int32_data"),
         TensorProto.UINT32: ("u4", "uint64_data"), TensorProto.UINT64: ("u8", "uint64_data"), TensorProto.FLOAT16: ("f2", "int32_data")}
# Identity of opset 25 takes these; their bytes come from the proto.
PACKED = {TensorProto.UINT4: 4, TensorProto.INT4: 4, TensorProto.FLOAT4E2M1: 4, TensorProto.UINT2: 2, TensorProto.INT2: 2}
BYTES = {TensorProto.FLOAT8E4M3FN: 1, TensorProto.FLOAT8E4M3FNUZ: 1, TensorProto.FLOAT8E5M2: 1, TensorProto.FLOAT8E5M2FNUZ: 1,
         TensorProto.FLOAT8E8M0: 1, TensorProto.BFLOAT16: 2}
OURS = {"F32": "f4", "F64": "f8", "I32": "i4", "I64": "i8", "U8": "u1", "I8": "i1", "U16": "u2", "I16": "i2", "BOOL": "?", "U32": "u4",
        "U64": "u8", "F16": "f2"}
EXTERNAL = "w.bin"
TYPED_FIELDS = ["float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data"]
SHAPES = [[], [1], [2], [3], [2, 3], [0], [4, 1, 2], [2, 0, 3]]


def stored_bytes(rng, kind, shape):
    count = math.prod(shape)
    if kind in PACKED:
        bits = PACKED[kind]
        raw = bytearray(rng.randbytes(-(-count * bits // 8)))
        if raw and count * bits % 8:
            raw[-1] &= (1 << count * bits % 8) - 1
        return bytes(raw)
    if kind in BYTES:
        return rng.randbytes(count * BYTES[kind])
    if kind == TensorProto.BOOL:
        return bytes(rng.randrange(2) for _ in range(count))
    return numpy.array([rng.randrange(100) for _ in range(count)]).astype(NUMPY[kind][0]).tobytes()


def fill(rng, tensor, raw, external):
    """Writes the bytes in one of the ways that the format has."""
    way = rng.choice(["raw", "raw", "typed", "external"])
    kind = tensor.data_type
    if way == "external":
        while len(external) % rng.choice([1, 4, 64]):
            external.append(0)
        put_external(tensor, [("location", EXTERNAL), ("offset", str(len(external))), ("length", str(len(raw)))])
        external.extend(raw)
    elif way == "raw" or kind in PACKED or kind in BYTES and BYTES[kind] == 2:
        tensor.raw_data = raw
    elif kind in BYTES:
        tensor.int32_data.extend(raw)
    else:
        dtype, field = NUMPY[kind]
        values = numpy.frombuffer(raw, "u2" if dtype == "f2" else dtype)
        getattr(tensor, field).extend(values.astype("i4").tolist() if field == "int32_data" else values.tolist())


def put_external(tensor, entries):
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries:
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def make_tensor(rng, name, external):
    kind = rng.choice([*NUMPY, *NUMPY, *PACKED, *BYTES])
    shape = rng.choice(SHAPES)
    tensor = TensorProto(name=name, data_type=kind, dims=shape)
    fill(rng, tensor, stored_bytes(rng, kind, shape), external)
    return tensor


def make_model(rng):
    """Every initializer and constant is an output or goes to one through Identity, so that ONNX Runtime looks at it."""
    external = bytearray()
    initializers, nodes, outputs = [], [], []
    for i in range(rng.randint(1, 4)):
        tensor = make_tensor(rng, f"t{i}", external)
        if rng.random() < 0.25:
            constant = TensorProto()
            constant.CopyFrom(tensor)
            nodes.append(helper.make_node("Constant", [], [tensor.name], value=constant))
        else:
            initializers.append(tensor)
        itself = tensor.data_type not in NUMPY and tensor.data_type not in BYTES or rng.random() < 0.2
        output = tensor.name if itself or tensor.data_type == TensorProto.FLOAT8E8M0 else f"y{i}"
        if output != tensor.name:
            nodes.append(helper.make_node("Identity", [tensor.name], [output]))
        outputs.append(helper.make_tensor_value_info(output, tensor.data_type, None))
    graph = helper.make_graph(nodes, "g", [], outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=12), external


def tensors_of(model):
    found = list(model.graph.initializer)
    for node in model.graph.node:
        found += [attribute.t for attribute in node.attribute if attribute.HasField("t")]
    return found


def mutate_storage(rng, tensor):
    kind = rng.randrange(9)
    if kind == 0 and tensor.HasField("raw_data"):
        tensor.raw_data = rng.choice([tensor.raw_data[:-1], tensor.raw_data + b"x", b"", tensor.raw_data * 2])
    elif kind == 1:
        getattr(tensor, rng.choice(TYPED_FIELDS[:5])).append(rng.randrange(300))
    elif kind == 2:
        field = getattr(tensor, rng.choice(TYPED_FIELDS[:5]))
        del field[len(field) // 2:]
    elif kind == 3:
        tensor.ClearField("raw_data")
    elif kind == 4:
        tensor.raw_data = rng.randbytes(rng.randrange(9))
    elif kind == 5:
        tensor.string_data.append(b"text")
    elif kind == 6:
        tensor.data_location = rng.randrange(2)
    elif kind == 7 and tensor.int32_data:
        tensor.int32_data[0] = rng.choice([-1, 256, 257, 65536, 2**31 - 1, -2**31])
    else:
        mutate_external(rng, tensor)


def mutate_external(rng, tensor):
    if not tensor.external_data:
        return put_external(tensor, [("location", EXTERNAL)])
    entry = rng.choice(tensor.external_data)
    kind = rng.randrange(6)
    if kind == 0:
        tensor.external_data.remove(entry)
    elif kind == 1:
        entry.value = rng.choice(["0", "-1", "", "4", "+4", "4x", " 4", "99999999", "99999999999999999999", EXTERNAL, "./" + EXTERNAL,
                                  ".//" + EXTERNAL, "./././" + EXTERNAL, "../x", "/w.bin", "w.bin/", "nope"])
    elif kind == 2:
        tensor.external_data.add().CopyFrom(entry)
    elif kind == 3:
        entry.key = rng.choice(["location", "offset", "length", "checksum", "x", "", "Length", "basepath"])
    elif kind == 4:
        extra = tensor.external_data.add()
        extra.key, extra.value = rng.choice([("checksum", "ab"), ("length", "0"), ("offset", "0"), ("x", "y"), ("prepacked_0", "a|0|4")])
    else:
        kept = list(tensor.external_data)
        rng.shuffle(kept)
        del tensor.external_data[:]
        tensor.external_data.extend(kept)


def mutate_shape(rng, tensor):
    kind = rng.randrange(5)
    if kind == 0:
        tensor.dims.append(rng.choice([0, 1, 1, 2, -1, 2**31, 2**62]))
    elif kind == 1 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice([0, 1, 2, 3, -1, 2**40])
    elif kind == 2 and tensor.dims:
        del tensor.dims[-1]
    elif kind == 3:
        tensor.dims.extend([1] * rng.choice([3, 30, 33, 40]))
    else:
        tensor.data_type = rng.choice([0, *range(1, 28), 99])


def mutate_graph(rng, model, external):
    graph = model.graph
    tensor = rng.choice(tensors_of(model) or [TensorProto()])
    kind = rng.randrange(13)
    if kind == 0 and graph.initializer:
        graph.initializer.add().CopyFrom(rng.choice(graph.initializer))
    elif kind == 1 and graph.initializer:
        same = graph.initializer.add()
        same.CopyFrom(rng.choice(graph.initializer[:-1] or graph.initializer))
        fresh = TensorProto(name=same.name, data_type=same.data_type, dims=same.dims)
        if same.data_type in NUMPY and all(0 <= extent < 64 for extent in same.dims):
            fill(rng, fresh, stored_bytes(rng, same.data_type, same.dims), external)
            same.CopyFrom(fresh)
    elif kind == 2 and graph.initializer:
        del graph.initializer[rng.randrange(len(graph.initializer))]
    elif kind == 3:
        tensor.name = rng.choice(["t0", "t1", "", "other", "ä", "n" * 5000, "nul\0", "y0"])
    elif kind == 4:
        graph.initializer.append(make_tensor(rng, rng.choice(["unused", "", "t0", "y0"]), external))
    elif kind == 5:
        odd = make_tensor(rng, "unused", external)
        mutate_storage(rng, odd)
        mutate_shape(rng, odd)
        graph.initializer.append(odd)
    elif kind == 6:
        values = numpy_helper.from_array(numpy.array([1, 2], "f4"), rng.choice(["sparse", "t0", "t1"]))
        indices = numpy_helper.from_array(numpy.array([0, 1], "i8"), "")
        graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, indices=indices, dims=[rng.choice([2, 5])]))
    elif kind == 7:
        value = rng.choice([{"value_float": 1.5}, {"value_ints": [1, 2]}, {"value_floats": [1.0, 2.0]}, {"value_string": b"s"}])
        graph.node.insert(0, helper.make_node("Constant", [], [rng.choice(["t0", "unused", "c"])], **value))
    elif kind == 8:
        value = make_tensor(rng, "", external)
        graph.node.insert(rng.randint(0, len(graph.node)), helper.make_node("Constant", [], [rng.choice(["t0", "t1", "c", ""])], value=value))
    elif kind == 9:
        nest(rng, graph, external)
    elif kind == 10:
        constant = helper.make_node("Constant", [], ["t0"], value=make_tensor(rng, "", external))
        model.functions.append(helper.make_function("local", "f", [], ["t0"], [constant], [helper.make_opsetid("", 25)]))
        model.opset_import.append(helper.make_opsetid("local", 1))
    elif kind == 11:
        graph.input.append(helper.make_tensor_value_info(rng.choice(["t0", "t1"]), tensor.data_type or 1, list(tensor.dims)))
    else:
        graph.node.append(helper.make_node("Identity", ["t0"], ["again"]))


def nest(rng, graph, external):
    """An If with a tensor of its own in each branch, named as one outside."""
    branches = []
    for _ in range(2):
        tensor = TensorProto(name=rng.choice(["t0", "inner"]), data_type=TensorProto.FLOAT, dims=[2])
        fill(rng, tensor, numpy.array([rng.random(), 2], "f4").tobytes(), external)
        output = helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])
        branches.append(helper.make_graph([helper.make_node("Identity", [tensor.name], ["b"])], "branch", [], [output], [tensor]))
    graph.initializer.append(numpy_helper.from_array(numpy.array(True), "condition"))
    graph.node.append(helper.make_node("If", ["condition"], ["chosen"], then_branch=branches[0], else_branch=branches[1]))


def mutate_bytes(rng, blob):
    kind = rng.randrange(6)
    at = rng.randrange(len(blob))
    if kind == 0:
        return blob[:at], True
    if kind == 1:
        return blob[:at] + bytes([rng.randrange(256)]) + blob[at + 1:], False
    if kind == 2:
        return blob + rng.choice([b"\xd2\x0f\x02hi", b"\xd3\x0f\x08\x01\xd4\x0f", b"\0", b"\xff", b"\xd3\x0f"]), False
    if kind == 3:
        return blob[:at] + bytes([blob[at] ^ 1 << rng.randrange(8)]) + blob[at + 1:], False
    if kind == 4:
        return blob[:at] + blob[at + rng.randint(1, 8):], False
    more = onnx.ModelProto()
    more.graph.initializer.append(numpy_helper.from_array(numpy.array([rng.random()], "f4"), rng.choice(["t0", "more"])))
    return blob + more.SerializeToString(), False


def write_case(rng, folder):
    """Whether the file was cut."""
    model, external = make_model(rng)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        tensors = tensors_of(model)
        chance = rng.random()
        if chance < 0.4 or not tensors:
            mutate_graph(rng, model, external)
        elif chance < 0.75:
            mutate_storage(rng, rng.choice(tensors))
        else:
            mutate_shape(rng, rng.choice(tensors))
    blob, cut = model.SerializeToString(), False
    if rng.random() < 0.25:
        blob, cut = mutate_bytes(rng, blob)
    (folder / "model.onnx").write_bytes(blob)
    if external and rng.random() < 0.97:
        (folder / EXTERNAL).write_bytes(external[:-1] if rng.random() < 0.03 else external)
    return cut


def runtime(path):
    """(session, nothing) or (None, what it says)."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]), ""
    except Exception as error:  # noqa: BLE001: among them SystemError
        return None, str(error)


def used(path):
    """output -> the name of the tensor that it is, where that is no input of the model."""
    model = onnx.load(path, load_external_data=False)
    given = {value.name for value in model.graph.input}
    names = {value.name: value.name for value in model.graph.output}
    for node in model.graph.node:
        for output in node.output:
            source = node.input[0] if node.op_type == "Identity" and len(node.input) == 1 else None
            names[output] = output if node.op_type == "Constant" else source
    return {output: source for output, source in names.items() if source is not None and source not in given}


DOCUMENTED = {
    "given as an attribute": "a Constant by value_float, value_ints, …: left out with a note",
    "sparse": "sparse initializers: left out with a note",
    "without a usable name": "a name, rank or shape that an index can't have: left out with a note",
    "without elements and of an absurd shape": "a name, rank or shape that an index can't have: left out with a note",
    "of more than 32 dimensions": "a name, rank or shape that an index can't have: left out with a note",
}


def compare(folder, session, ours):
    found = {name: (dtype, shape, digest) for name, dtype, shape, digest in ours["tensors"]}
    missing = None
    names = used(folder / "model.onnx")
    for output in session.get_outputs():
        source = names.get(output.name)
        if source is None:
            continue
        if source in found:
            compare_values(folder, session, output, source, found[source])
        elif output.type == "tensor(string)":
            missing = missing or "strings: left out with a note, kept in the files variant"
        else:
            missing = missing or next((why for key, why in DOCUMENTED.items() if key in ours["left_out"]), None)
            if missing is None:
                raise Verdict(f"{source!r} is not among {sorted(found)}: {ours['left_out']}, {ours['doubt']}")
    if missing:
        raise Verdict("", missing)


def compare_values(folder, session, output, source, ours):
    dtype, shape, digest = ours
    if dtype not in OURS:
        return compare_stored(folder, source, digest)
    try:
        theirs = session.run([output.name], {})[0]
    except Exception:  # noqa: BLE001: an input is wanted, or it can't be computed
        return None
    if theirs.dtype != numpy.dtype(OURS[dtype]) or list(theirs.shape) != shape:
        raise Verdict(f"{source!r}: {dtype} {shape}, ONNX Runtime has {theirs.dtype} {theirs.shape}")
    raw = theirs.tobytes()
    if hashlib.sha256(raw).hexdigest() != digest:
        stored = last_of(onnx.load(folder / "model.onnx", load_external_data=False), source)
        if dtype == "BOOL" and stored is not None and max(stored.raw_data, default=0) > 1:
            raise Verdict("", "boolean bytes other than 0 and 1 in raw data: as the file has them")
        raise Verdict(f"{source!r}: other bytes than ONNX Runtime's {raw[:40].hex()}…")
    return None


def last_of(model, name):
    """Of a name's values, ONNX Runtime takes the last: constants come after initializers."""
    found = [tensor for tensor in model.graph.initializer if tensor.name == name]
    found += [attribute.t for node in model.graph.node if node.op_type == "Constant" and node.output[0] == name
              for attribute in node.attribute if attribute.name == "value"]
    return found[-1] if found else None


def compare_stored(folder, source, digest):
    """Types that ONNX Runtime gives no array of: their bytes are those that the file holds."""
    tensor = last_of(onnx.load(folder / "model.onnx", load_external_data=False), source)
    if tensor is None:
        return
    if tensor.data_location == TensorProto.EXTERNAL:
        offset = int({entry.key: entry.value for entry in tensor.external_data}.get("offset", "0"))
        bits = PACKED.get(tensor.data_type) or 8 * BYTES.get(tensor.data_type, 0)
        raw = (folder / EXTERNAL).read_bytes()[offset:][:-(-math.prod(tensor.dims) * bits // 8)]
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data
    else:
        width = BYTES.get(tensor.data_type, 1)
        raw = b"".join((value % 2 ** (8 * width)).to_bytes(width, "little") for value in tensor.int32_data)
    if tensor.data_type in PACKED or tensor.data_type in BYTES:
        if hashlib.sha256(raw).hexdigest() != digest:
            raise Verdict(f"{source!r}: other bytes than the file's {raw[:40].hex()}…")


def case(rng, folder, driver):
    cut = write_case(rng, folder)
    session, says = runtime(folder / "model.onnx")
    ours = driver.ask(f"onnx {folder}")
    if session is None:
        if ours["ok"] and cut and "INVALID_PROTOBUF" in says:
            raise Verdict("a cut file is taken")
        return False
    if not ours["ok"]:
        raise Verdict(f"refused, and ONNX Runtime loads it: {ours['error']}")
    compare(folder, session, ours)
    return True


if __name__ == "__main__":
    main("onnx", 2500, case)
