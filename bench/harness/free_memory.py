"""Free memory that is really there. A virtual machine whose balloon reports free pages (virtio's free page reporting) has its host take back
what lay free for two seconds, and whoever uses it next waits for the host to find new pages: 0.6 s for 575 MB where this was seen. That would be
part of one way to start a function and not of another, by what ran before it."""
import mmap
from pathlib import Path

MADV_POPULATE_WRITE = 23  # Linux 5.14; mmap has no name for it
SPARED = 512 << 20  # left alone, so that nothing goes from the page cache for it


def free_bytes():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemFree:"))


def back(size):
    """Uses `size` bytes of free memory, or as many as there are, and frees them again."""
    size = min(size, free_bytes() - SPARED)
    if size <= 0:
        return
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        memory.madvise(MADV_POPULATE_WRITE)
