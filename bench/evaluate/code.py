"""What measures and what is measured, as one digest: results of other programs don't count (store.py). What only draws and writes is not in it, nor
which figures and schedules there are."""
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("src/tools/trimsd/trimsd", "src/tools/prepare/trims-prepare", "src/tools/device/trims-device", "src/client/libtrims.so*",
            "bench/bench_function_plain", "bench/bench_function_trims")
SOURCES = ("bench/evaluate/*.py", "bench/networks/*.py", "bench/function/*.py", "bench/harness/free_memory.py", "demo/sandbox.py", "demo/daemon.py",
           "demo/page_cache.py", "python/src/trims/**/*.py")
ONLY_SHOWN = ("report.py", "report_throughput.py", "plots.py", "tables.py", "figures.py", "plan.py", "options.py", "main.py", "code.py")


def files(build, root=ROOT):
    found = {path for pattern in PROGRAMS for path in Path(build).glob(pattern)}
    found |= {path for pattern in SOURCES for path in root.glob(pattern) if path.name not in ONLY_SHOWN}
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def digest(build, root=ROOT):
    """The first 16 digits of a SHA-256. Of a build that isn't there, it is the sources' alone."""
    made = hashlib.sha256()
    for path in files(build, root):
        made.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()[:16]
