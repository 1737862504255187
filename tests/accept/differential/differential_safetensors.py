"""Safetensors: mutated headers, lengths and data, read by TrIMS and by the safetensors library (verdict, types, shapes, bytes, metadata)."""

import hashlib
import json
import math
import struct

import safetensors
from differential import Verdict, main

BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
        "C64": 64, "F64": 64, "I64": 64, "U64": 64}
NAMES = ["a", "layer.0.weight", "ä", "名前", "😀", "with space", 'q"uote', "back\\slash", "", "nul\0", "n" * 5000, "__meta__", "a/b"]
ODD_NUMBERS = [0, 1, 2, 3, 7, 8, -1, -0.0, 1.0, 1.5, 1e3, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, None, "8", [], True]
ODD_TYPES = ["U4", "I4", "C128", "F128", "f32", "", "F8", "NEW_TYPE", "F32 ", "Ü", 5, None, {"F32": None}, ["F32"]]
ODD_VALUES = [None, 1, -2, "x", [], {}, [1, [2, {"a": None}]], {"dtype": 1}, True, 1.5, "é\n"]
RAW_TOKENS = [b"\0", b"\xff", b"\\ud800", b"\\u0000", b"1e999", b" ", b"\n", b"\t", b",", b"{", b"}", b"[", b"]", b'"', b":", b"-", b"01",
              b"\xef\xbb\xbf", b"//", b"null", b"NaN", b"\\x"]


def tensors_of(rng):
    tensors, at = {}, 0
    for name in rng.sample(NAMES[:8], rng.randint(0, 5)):
        dtype = rng.choice(list(BITS))
        shape = [rng.choice([0, 1, 2, 3, 4, 8]) for _ in range(rng.randint(0, 4))]
        bits = BITS[dtype] * math.prod(shape)
        if bits % 8:
            shape, bits = [*shape, 4], bits * 4
        tensors[name] = [("dtype", dtype), ("shape", shape), ("data_offsets", [at, at + bits // 8])]
        at += bits // 8
    return list(tensors.items()), rng.randbytes(at)


def dump(pairs):
    """JSON of pairs, in which keys may come twice."""
    return "{" + ",".join(json.dumps(key) + ":" + value for key, value in pairs) + "}"


def header_of(tensors, metadata, rng):
    entries = [(name, value if isinstance(value, str) else dump([(k, json.dumps(v)) for k, v in value])) for name, value in tensors]
    for value in metadata:
        entries.insert(rng.randint(0, len(entries)), ("__metadata__", value))
    return dump(entries)


def mutate_tensor(rng, tensors, data):
    if not tensors:
        return data
    i = rng.randrange(len(tensors))
    name, fields = tensors[i]
    if isinstance(fields, str):
        return data
    fields = [(k, list(v) if isinstance(v, list) else v) for k, v in fields]
    kind = rng.randrange(13)
    place = rng.randrange(len(fields))
    key, value = fields[place]
    if kind == 0:
        fields.pop(place)
    elif kind == 1:
        fields.insert(rng.randint(0, 3), (key, value))
    elif kind == 2:
        fields.insert(rng.randint(0, 3), (rng.choice(["x", "strides", "Dtype", ""]), rng.choice(ODD_VALUES)))
    elif kind == 3:
        fields[place] = (key, rng.choice(ODD_VALUES))
    elif kind == 4:
        fields = [(k, rng.choice([*ODD_TYPES, *BITS]) if k == "dtype" else v) for k, v in fields]
    elif kind in (5, 6):
        which = "shape" if kind == 5 else "data_offsets"
        for k, v in fields:
            if k == which and isinstance(v, list):
                v.insert(rng.randint(0, len(v)), rng.choice(ODD_NUMBERS)) if rng.random() < 0.5 or not v else v.__setitem__(
                    rng.randrange(len(v)), rng.choice(ODD_NUMBERS))
    elif kind == 7:
        rng.shuffle(fields)
    elif kind == 8:
        fields = [(k, [1] * rng.choice([1, 30, 33, 64, 65]) + v if k == "shape" and isinstance(v, list) else v) for k, v in fields]
    elif kind == 9:
        tensors[i] = (rng.choice(NAMES), fields)
        return data
    elif kind == 10:
        tensors.insert(rng.randint(0, len(tensors)), (name, fields))
        return data
    elif kind == 11:
        tensors[i] = (name, rng.choice([json.dumps(value) for value in ODD_VALUES] + [json.dumps([v for _, v in fields])]))
        return data
    else:
        fields = [(k, [0, *v] if k == "shape" and isinstance(v, list) else v) for k, v in fields]
    tensors[i] = (name, fields)
    return data


METADATA = ['{"format":"pt"}', "null", "{}", '{"a":"1","a":"2"}', '{"a":1}', '{"a":null}', "[]", '"x"', '{"":"empty"}', '{"é":"\\u00e9"}',
            '{"dtype":"F32"}']


def file_of(rng):
    tensors, data = tensors_of(rng)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        data = mutate_tensor(rng, tensors, data)
    if rng.random() < 0.1:
        rng.shuffle(tensors)
    metadata = [rng.choice(METADATA) for _ in range(rng.choice([0, 0, 0, 1, 1, 2]))]
    header = header_of(tensors, metadata, rng).encode()
    chance = rng.random()
    if chance < 0.1:
        header += rng.choice([b" ", b" " * 64, b"\n\t ", b"\0", b"x", b"{}"])
    elif chance < 0.15:
        header = rng.choice([b" ", b"\n", b"\xef\xbb\xbf", b"[", b""]) + header
    elif chance < 0.25:
        at = rng.randrange(len(header) + 1)
        header = header[:at] + rng.choice(RAW_TOKENS) + header[at + rng.randrange(2):]
    elif chance < 0.28:
        header = header.replace(b":", b" : ").replace(b",", b"\n,\t")
    length = len(header) + (rng.choice([-1, 1, 8, -8, 2**32, 2**63, 100_000_001]) if rng.random() < 0.05 else 0)
    if rng.random() < 0.1:
        data = rng.choice([data[:-1], data + b"x", b"", data + data])
    blob = struct.pack("<Q", length % 2**64) + header + data
    if rng.random() < 0.05:
        blob = blob[: rng.randrange(len(blob) + 1)]
    elif rng.random() < 0.05:
        at = rng.randrange(len(blob))
        blob = blob[:at] + bytes([rng.randrange(256)]) + blob[at + 1:]
    return blob


def library(path, blob):
    """(metadata, tensors), or what it says against the file."""
    try:
        with safetensors.safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        tensors = safetensors.deserialize(blob)
    except Exception as error:  # noqa: BLE001
        return str(error)
    return metadata, {name: (t["dtype"], t["shape"], hashlib.sha256(t["data"]).hexdigest()) for name, t in tensors}


def cant_be_indexed(name, shape):
    others = math.prod(extent for extent in shape if extent)
    return not name or "\0" in name or len(name.encode()) > 4096 or len(shape) > 32 or others >= 2**56 or max(shape, default=0) >= 2**63


def header_fields(blob):
    """The values of the tensors in the header, best effort."""
    try:
        length = int.from_bytes(blob[:8], "little")
        return [value for key, value in json.loads(blob[8:8 + length], object_pairs_hook=list) if key != "__metadata__"]
    except (ValueError, TypeError):
        return []


def is_serde_form(value):
    """A tensor as an array of its fields, or a dtype as {"F32": null}: the library's JSON code happens to read them."""
    if not value or not isinstance(value, list):
        return False
    if not all(isinstance(pair, tuple) for pair in value):
        return len(value) == 3
    return any(key == "dtype" and isinstance(inner, list) for key, inner in value)


def compare_tensors(ours, theirs):
    found = {name: (dtype, shape, digest) for name, dtype, shape, digest in ours["tensors"]}
    left_out = sum(ours["left_out"].values())
    missing = [name for name in theirs if name not in found]
    if set(found) - set(theirs) or left_out != len(missing):
        raise Verdict(f"names differ: {sorted(found)[:5]} and {sorted(theirs)[:5]}")
    for name in missing:
        if not cant_be_indexed(name, theirs[name][1]):
            raise Verdict(f"{name!r} is left out: {ours['left_out']}")
    for name, tensor in found.items():
        if tensor != theirs[name]:
            raise Verdict(f"{name!r}: {tensor}, the library has {theirs[name]}")
    if missing:
        raise Verdict("left out", "a name, rank or shape that an index can't have: left out with a note")


def case(rng, folder, driver):
    blob = file_of(rng)
    path = folder / "model.safetensors"
    path.write_bytes(blob)
    theirs, ours = library(path, blob), driver.ask(f"safetensors {path}")
    if isinstance(theirs, str):
        if not ours["ok"]:
            return False
        if "unknown variant" in theirs:
            raise Verdict("", "a dtype that the library refuses is passed on by its name")
        raise Verdict(f"taken, and the library refuses it: {theirs}")
    if not ours["ok"]:
        if any(is_serde_form(value) for value in header_fields(blob)):
            raise Verdict("", "a tensor written as an array, or a dtype as an object: refused")
        raise Verdict(f"refused, and the library takes it: {ours['error']}")
    metadata, tensors = theirs
    if metadata != ours["metadata"]:
        raise Verdict(f"metadata differs: {ours['metadata']} and {metadata}")
    compare_tensors(ours, tensors)
    return True


if __name__ == "__main__":
    main("safetensors", 6000, case)
