"""A memory cgroup for each function: what is written where, of both versions; and really, where this machine allows it."""

import os
import subprocess
import sys
import threading

import pytest
from evaluate import cgroups
from sandbox import Plain

VERSION1 = "9:name=systemd:/\n4:memory:/jobs/7\n0::/\n"
VERSION2 = "0::/user.slice/run-1.scope\n"


def test_our_own_group_is_found_in_both_versions():
    assert cgroups.home(VERSION1, 1) == "jobs/7" and cgroups.home("3:cpu,memory:/\n", 1) == ""
    assert cgroups.home(VERSION2, 2) == "user.slice/run-1.scope" and cgroups.home(VERSION2, 1) is None


def version1(root):
    (root / "memory/jobs/7").mkdir(parents=True)
    (root / "memory/jobs/7/tasks").write_text("")
    return root / "memory/jobs/7"


def test_version_1_moves_the_thread_in_and_out_again(tmp_path):
    own, thread = version1(tmp_path), str(threading.get_native_id())
    with cgroups.find(tmp_path, VERSION1) as groups:
        assert groups.name == "a memory cgroup each (version 1)"
        with groups.one() as group:
            with group.entered():
                assert (group.path / "tasks").read_text() == thread and (own / "tasks").read_text() == ""
            assert (own / "tasks").read_text() == thread and group.prepare is None
            (group.path / "memory.max_usage_in_bytes").write_text("4096\n")
            assert group.peak_bytes() == 4096
            for file in group.path.iterdir():  # as the kernel's, they don't keep the folder
                file.unlink()
        with pytest.raises(ValueError, match="failed"), groups.one() as group:
            (group.path / "tasks").write_text("")
            raise ValueError("failed")
        (group.path / "tasks").unlink()
    assert [path.name for path in own.iterdir()] == ["tasks"]


def version2(root, own="user.slice/run-1.scope"):
    (root / own).mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    for folder in (root, root / own):
        (folder / "cgroup.subtree_control").write_text("")
    return root / own


def test_version_2_has_the_function_go_in_itself(tmp_path, monkeypatch):
    own = version2(tmp_path)
    made = []
    monkeypatch.setattr(cgroups.Path, "mkdir", lambda self, *_, mkdir=cgroups.Path.mkdir, **__: (mkdir(self), made.append(self)))
    groups = cgroups.find(tmp_path, VERSION2)
    assert (own / "cgroup.subtree_control").read_text() == "+memory" and (made[0] / "cgroup.subtree_control").read_text() == "+memory"
    with groups.one() as group:
        (group.path / "cgroup.procs").write_text("")
        with group.entered():
            subprocess.run([sys.executable, "-c", "pass"], preexec_fn=group.prepare, check=True)
        assert (group.path / "cgroup.procs").read_text() == "0" and group.prepare is None
        (group.path / "memory.peak").write_text("8192\n")
        assert group.peak_bytes() == 8192
        for file in group.path.iterdir():
            file.unlink()


def test_version_2_takes_the_root_where_our_own_group_has_processes(tmp_path):
    own = version2(tmp_path)
    (own / "cgroup.subtree_control").unlink()
    (own / "cgroup.subtree_control").mkdir()  # writing fails
    groups = cgroups.find(tmp_path, VERSION2)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert [path.name for path in tmp_path.glob("trims-evaluate-*")] == [f"trims-evaluate-{os.getpid()}"] and groups.name.endswith("(version 2)")


def test_where_they_are_not_allowed_it_is_said_why(tmp_path):
    with pytest.raises(cgroups.NotAllowed, match="No such file or directory .*cgroup.controllers"):
        cgroups.find(tmp_path, VERSION2)
    (tmp_path / "cgroup.controllers").write_text("cpu pids\n")
    with pytest.raises(cgroups.NotAllowed, match="no memory controller"):
        cgroups.find(tmp_path, VERSION2)
    (tmp_path / "memory").mkdir()
    with pytest.raises(cgroups.NotAllowed, match="No such file or directory .*; they take root") as refused:
        cgroups.find(tmp_path, VERSION1)
    assert str(os.getpid()) not in str(refused.value).replace(str(tmp_path), ""), "results would be another run's"


def test_a_function_is_charged_with_what_it_takes():
    try:
        groups = cgroups.find()
    except cgroups.NotAllowed as error:
        pytest.skip(str(error))
    program = "import json, sys; kept = bytearray(50 << 20); print(json.dumps(open('/proc/self/cgroup').read()), flush=True); sys.stdin.read()"
    with groups, groups.one() as group:
        running = Plain("a test").start([sys.executable, "-c", program], [], {}, group=group)
        assert group.path.name in running.answer()
        running.end()
        assert 50 << 20 < group.peak_bytes() < 120 << 20
    assert not group.path.exists() and not group.path.parent.exists()
