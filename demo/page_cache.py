"""Files as if they had never been read."""

import ctypes
import mmap
import os

ATTEMPTS = 3  # pages that were just read or written may be in use for a moment
TOLERATED = 0.01  # of a file
PAGE = mmap.PAGESIZE
IN_MEMORY = bytes(state & 1 for state in range(256))  # of what mincore says of a page


class StillCached(RuntimeError):
    pass


def _libc():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    return libc


def cached_pages(file):
    """(how many of the file's pages are in the page cache, how many it has), without touching one."""
    length = os.fstat(file.fileno()).st_size
    if length == 0:
        return 0, 0
    libc, pages = _libc(), -(-length // PAGE)
    address = libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), f"mmap of {file.name}: {os.strerror(ctypes.get_errno())}")
    try:
        states = ctypes.create_string_buffer(pages)
        if libc.mincore(address, length, states) != 0:
            raise OSError(ctypes.get_errno(), f"mincore of {file.name}: {os.strerror(ctypes.get_errno())}")
        return states.raw[:pages].translate(IN_MEMORY).count(1), pages
    finally:
        libc.munmap(address, length)


def drop(paths):
    """Drops the files from the page cache, and looks whether they left it. StillCached: one didn't, since it is mapped or in use."""
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            for _ in range(ATTEMPTS):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                cached, pages = cached_pages(file)
                if cached <= TOLERATED * pages:
                    break
            else:
                raise StillCached(f"{path}: {cached} of {pages} pages stay in the page cache after it was dropped: it is in use, or lies in memory "
                                  "(TMPDIR has to be on a disk)")
