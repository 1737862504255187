"""Free memory that is really there. A virtual machine whose balloon reports free pages (virtio's free page reporting) has its host take back
what lay free for two seconds, and whoever uses it next waits for the host to find new pages: 0.6 s for 575 MB where this was seen. That would be
part of one way to start a function and not of another, by what ran before it."""
import contextlib
import mmap
from pathlib import Path

MADV_POPULATE_WRITE = 23  # Linux 5.14; mmap has no name for it
SPARED = 512 << 20  # left alone, so that nothing goes from the page cache for it


def number_in(path):
    """None where there is no such file, or no number in it."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def allowed_bytes(root=Path("/sys/fs/cgroup"), text=None):
    """What the memory cgroups that this process is in still let it take; None: they set no limit."""
    text = Path("/proc/self/cgroup").read_text() if text is None else text
    left = []
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            hierarchy, most, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        elif not controllers:
            hierarchy, most, used = root, "memory.max", "memory.current"
        else:
            continue
        group = hierarchy / path.lstrip("/")
        for one in [group, *group.parents][:len(group.parts) - len(hierarchy.parts) + 1]:
            limit, taken = number_in(one / most), number_in(one / used)
            left += [limit - taken] if limit is not None and taken is not None else []
    return min(left, default=None)


def free_bytes():
    lines = Path("/proc/meminfo").read_text().splitlines()
    free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemFree:"))
    allowed = allowed_bytes()
    return free if allowed is None else min(free, allowed)


def backed(size):
    """A mapping of `size` bytes of free memory, or of as many as there are, each page of it there; None: there are none."""
    size = min(size, free_bytes() - SPARED)
    if size <= 0:
        return None
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without huge pages
        memory.madvise(mmap.MADV_HUGEPAGE)
    try:
        memory.madvise(MADV_POPULATE_WRITE)
    except OSError:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1
    return memory


class Reserve:
    """Memory that is held between what uses it, so that none of it lies free for long: neither does who comes next wait for it, nor does the kernel
    give it back, which takes its time from whatever runs seconds later. As a context manager it ends holding nothing."""

    def __init__(self, size):
        self._size, self._held = size, None

    @contextlib.contextmanager
    def lent(self):
        """Free for who uses it in the block, and held again after it."""
        self._hold()
        self._free()
        try:
            yield
        finally:
            self._hold()

    def _hold(self):
        if self._held is None:
            self._held = backed(self._size)

    def _free(self):
        if self._held is not None:
            self._held.close()
            self._held = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._free()
