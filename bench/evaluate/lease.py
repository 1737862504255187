"""A model kept open, over libtrims' C interface, whose extent's descriptor can be left to a child."""
import ctypes
import os

TENSORS_VARIANT, ORT_VARIANT = 1, 2  # TRIMS_VARIANT_TENSORS, TRIMS_VARIANT_ORT
ONNX_TYPES = {1: 1, 11: 7}  # of trims::DType kF32 and kI64
HOST = "host"


class _ClientOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("socket_path", ctypes.c_char_p), ("client_name", ctypes.c_char_p)]


class _OpenOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("variant", ctypes.c_int), ("variant_key", ctypes.c_char_p),
                ("deadline_ms", ctypes.c_uint64), ("tier", ctypes.c_char_p), ("progress", ctypes.c_void_p),
                ("progress_context", ctypes.c_void_p)]


class _File(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("size", ctypes.c_uint64), ("fd", ctypes.c_int)]


class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_uint64)), ("rank", ctypes.c_size_t), ("data", ctypes.c_void_p),
                ("size", ctypes.c_uint64), ("dtype", ctypes.c_int)]


class LeaseError(RuntimeError):
    pass


class Client:
    """A connection to the daemon at `socket`."""

    def __init__(self, library, socket):
        self._lib = ctypes.CDLL(str(library))
        self._lib.trims_status_message.restype = ctypes.c_char_p
        self._lib.trims_status_message.argtypes = self._lib.trims_status_free.argtypes = [ctypes.c_void_p]
        for name in ("trims_model_close", "trims_client_free"):
            getattr(self._lib, name).argtypes = [ctypes.c_void_p]
        self._client = ctypes.c_void_p()
        options = _ClientOptions(ctypes.sizeof(_ClientOptions), os.fsencode(socket), b"evaluate")
        self._try("trims_client_connect", ctypes.byref(options), ctypes.byref(self._client))

    def _try(self, name, *arguments):
        call = getattr(self._lib, name)
        call.restype = ctypes.c_void_p
        if status := call(*arguments):
            message = self._lib.trims_status_message(status).decode()
            self._lib.trims_status_free(status)
            raise LeaseError(f"{name}: {message}")

    def open(self, reference, variant=ORT_VARIANT, tier=HOST):
        return Lease(self, reference, variant, tier)

    def close(self):
        self._lib.trims_client_free(self._client)
        self._client = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Lease:
    """From entering to leaving a `with`. `fd` is the library's; `bytes`: of the prepared file, None in the named form, whose weights
    are tensors beside it."""

    def __init__(self, client, reference, variant, tier):
        self._client, self._reference, self._variant, self._tier, self._owned = client, reference, variant, tier, []

    def __enter__(self):
        lib, self._model = self._client._lib, ctypes.c_void_p()
        options = _OpenOptions(ctypes.sizeof(_OpenOptions), self._variant, None, 600_000, self._tier.encode(), None, None)
        self._client._try("trims_client_open", self._client._client, self._reference.encode(), ctypes.byref(options),
                          ctypes.byref(self._model))
        self.fd, self.bytes = lib.trims_model_extent_fd(self._model, ctypes.c_size_t(0)), self._file_bytes()
        return self

    def _file_bytes(self):
        form = self._client._lib.trims_model_metadata
        form.restype, form.argtypes = ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_char_p]
        if form(self._model, b"ort.form") != b"bytes":
            return None
        return self._first_file().size

    def tensors(self):
        """(name, shape, offset in the range, bytes, element type as ONNX Runtime numbers it) of each."""
        lib = self._client._lib
        lib.trims_model_tensor_count.restype, lib.trims_model_data.restype = ctypes.c_size_t, ctypes.c_void_p
        begin, tensor, found = lib.trims_model_data(self._model), _Tensor(), []
        for i in range(lib.trims_model_tensor_count(self._model)):
            self._client._try("trims_model_tensor_at", self._model, ctypes.c_size_t(i), ctypes.byref(tensor))
            if tensor.dtype not in ONNX_TYPES:
                raise LeaseError(f"{tensor.name.decode()} is of the type {tensor.dtype}: expected floats or int64, as networks of the table have")
            found.append((tensor.name.decode(), tensor.shape[:tensor.rank], tensor.data - begin, tensor.size, ONNX_TYPES[tensor.dtype]))
        return found

    def _first_file(self):
        file = _File()
        self._client._try("trims_model_file_at", self._model, ctypes.c_size_t(0), ctypes.byref(file))
        return file

    def file(self):
        """The bytes of the variant's first file."""
        file = self._first_file()
        return ctypes.string_at(file.data, file.size)

    def file_place(self):
        """(offset in the range, bytes) of the variant's first file."""
        lib = self._client._lib
        lib.trims_model_data.restype = ctypes.c_void_p
        file = self._first_file()
        return file.data - lib.trims_model_data(self._model), file.size

    def extents(self):
        """Descriptors, the library's; each lies at the next multiple of 2 MiB in the range."""
        lib = self._client._lib
        lib.trims_model_extent_count.restype = ctypes.c_size_t
        return [lib.trims_model_extent_fd(self._model, ctypes.c_size_t(i)) for i in range(lib.trims_model_extent_count(self._model))]

    def owns(self, fd):
        """Closes `fd` with the lease."""
        self._owned.append(fd)

    def __exit__(self, *_):
        for fd in self._owned:
            os.close(fd)
        self._client._lib.trims_model_close(self._model)
