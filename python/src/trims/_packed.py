"""PackedArray: a tensor whose elements NumPy can't address, as the bytes that are stored."""

# Bits of an element and ml_dtypes' type, by safetensors' name. The first element is in the lowest bits.
_PACKED = {
    "F4": (4, "float4_e2m1fn"), "F6_E2M3": (6, "float6_e2m3fn"), "F6_E3M2": (6, "float6_e3m2fn"),
    "U4": (4, "uint4"), "I4": (4, "int4"), "U2": (2, "uint2"), "I2": (2, "int2"),
}


def is_packed(name):
    return name in _PACKED


def _unpack(raw, bits, count):
    import numpy

    stream = numpy.unpackbits(raw, bitorder="little")[: count * bits].reshape(count, bits)
    return numpy.packbits(stream, axis=1, bitorder="little").reshape(count)


class PackedArray:
    """A tensor of less than a byte an element, or of a type that nobody here knows. Read-only.

    shape: of the elements        dtype: the type's name, e.g. "F4"        raw: the stored bytes, a numpy.ndarray of u1

    numpy.asarray() unpacks into a new array of ml_dtypes' type; raises TypeError where there is none. No copy of the bytes is
    made before that.
    """

    def __init__(self, raw, dtype, shape):
        self._raw, self._dtype, self._shape = raw, dtype, tuple(shape)

    @property
    def shape(self):
        return self._shape

    @property
    def dtype(self):
        return self._dtype

    @property
    def raw(self):
        return self._raw

    @property
    def nbytes(self):
        return self._raw.nbytes

    def tobytes(self):
        """The stored bytes: packed."""
        return self._raw.tobytes()

    def __array__(self, dtype=None, copy=None):
        import math

        if copy is False:
            raise ValueError(f"an array of {self._dtype} can't be made without a copy")
        if self._dtype not in _PACKED:
            raise TypeError(f"{self._dtype} is no type that trims knows: use .raw")
        bits, attribute = _PACKED[self._dtype]
        try:
            import ml_dtypes
        except ImportError:
            raise TypeError(f"unpacking {self._dtype} needs ml_dtypes (try: pip install ml_dtypes)") from None
        unpacked = _unpack(self._raw, bits, math.prod(self._shape)).reshape(self._shape)
        element = getattr(ml_dtypes, attribute)
        if attribute.startswith("int"):  # from the sign bit of so few
            high = 8 - bits
            unpacked = (unpacked << high).view("i1") >> high
            array = unpacked.astype(element)
        else:
            array = unpacked.astype(element) if attribute.startswith("uint") else unpacked.view(element)
        return array if dtype is None else array.astype(dtype)

    def __repr__(self):
        return f"<trims.PackedArray {self._dtype} {self._shape}, {self.nbytes} bytes>"
