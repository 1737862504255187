"""What the numbers were measured on."""
import os
import platform
import re
from pathlib import Path


def first_match(path, pattern):
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def selected(path):
    """The word in brackets of a kernel setting such as "always [madvise] never"."""
    return first_match(path, r"\[(.*?)\]")


def git_commit(root):
    """The commit checked out in `root`, from git's own files: no git is needed to run this. `root` may be a worktree, whose .git is a
    file that says where its HEAD is, and there another says where the references are."""
    folder = root / (first_match(root / ".git", r"^gitdir: (.*)$") or ".git")
    common = folder / (first_match(folder / "commondir", r"^(.*)$") or "")
    head = first_match(folder / "HEAD", r"^(.*)$")
    if not head or not head.startswith("ref: "):
        return head
    name = head[len("ref: "):]
    packed = first_match(common / "packed-refs", rf"^([0-9a-f]{{40}}) {re.escape(name)}$")
    return first_match(common / name, r"^(.*)$") or packed


def onnxruntime_version(root):
    libraries = sorted((root / ".cache/deps/onnxruntime/lib").glob("libonnxruntime.so.*.*"))
    return libraries[-1].name.removeprefix("libonnxruntime.so.") if libraries else None


def describe(root):
    huge = "/sys/kernel/mm/transparent_hugepage"
    memory_kib = first_match("/proc/meminfo", r"^MemTotal: *(\d+)")
    return {
        "kernel": platform.release(),
        "os": first_match("/etc/os-release", r'^PRETTY_NAME="(.*)"'),
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "hypervisor": "hypervisor" in (first_match("/proc/cpuinfo", r"^flags\s*: (.*)$") or "").split(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(memory_kib) * 1024 if memory_kib else None,
        "load_average_before": os.getloadavg()[0],
        "transparent_huge_pages": selected(f"{huge}/enabled"),
        "shmem_huge_pages": selected(f"{huge}/shmem_enabled"),
        "hugetlb_pages": int(first_match("/proc/sys/vm/nr_hugepages", r"(\d+)") or 0),
        "onnxruntime": onnxruntime_version(root),
        "commit": git_commit(root),
    }
