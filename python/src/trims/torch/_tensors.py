"""A model's tensors as PyTorch's, without a copy."""

import math
import warnings

import torch

from ..errors import Unimplemented

# PyTorch's types by safetensors' names; newer ones are there in newer releases only.
_NAMES = {
    "F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16", "I8": "int8", "U8": "uint8", "I16": "int16", "U16": "uint16",
    "I32": "int32", "U32": "uint32", "I64": "int64", "U64": "uint64", "BOOL": "bool", "C64": "complex64", "C128": "complex128",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def torch_dtype(name):
    """None: this PyTorch has no such type."""
    return getattr(torch, _NAMES.get(name, ""), None)


class Source:
    """The tensors of an open model. Each tensor that is made of it keeps the model open by itself."""

    def __init__(self, model):
        self._model, self._core = model, model._core

    def names(self):
        return self._core.tensor_names()

    def facts(self, name):
        """(the type's name as safetensors writes it, the shape)"""
        _, dtype, shape, _ = self._core.tensor(name)
        return dtype, tuple(shape)

    def tensor(self, name):
        return self._on_device(name) if self._model.on_gpu else self._on_host(name)

    def _on_device(self, name):
        return torch.from_dlpack(self._model.dlpack(name))

    # The pages as they are mapped. By the buffer and not by DLPack, which older releases have no bool in, and no release the 8-bit floats.
    def _on_host(self, name):
        _, dtype, shape, view = self._core.tensor(name)
        element = torch_dtype(dtype)
        if element is None:
            raise Unimplemented(f"'{name}' is of {dtype}, which PyTorch {torch.__version__} has no type for", "a newer PyTorch, or model.tensors[name]")
        if math.prod(shape) == 0:
            return torch.empty(tuple(shape), dtype=element)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*not writable", category=UserWarning)  # which is the point
            return torch.frombuffer(view, dtype=element).reshape(tuple(shape))
