"""trims.open: views of the one copy, their lifetime, and what can't be done to them."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading

import numpy
import pytest
import trims
from conftest import write_safetensors


def mapped():
    with open("/proc/self/maps") as maps:
        return sum("/memfd:" in line for line in maps)


def test_tensors_are_the_models(small):
    name, _, matrix = small
    with trims.open(name) as model:
        assert set(model.tensors) == {"matrix", "scalar", "empty", "half", "flags"}
        assert len(model.tensors) == 5 and "matrix" in model.tensors and "other" not in model.tensors
        assert (model.tensors["matrix"] == matrix).all()
        assert model.tensors["scalar"].shape == () and model.tensors["scalar"] == 7
        assert model.tensors["empty"].shape == (0, 5) and model.tensors["empty"].dtype == numpy.float16
        assert model.tensors["flags"].tolist() == [True, False]
        assert model.variant == "tensors" and model.reference.startswith("default/small:")


def test_dlpack_is_the_same_memory_and_keeps_it(small):
    name, _, matrix = small
    with trims.open(name) as model:
        exported = model.dlpack("matrix")
        assert exported.__dlpack_device__() == (1, 0), "the processor"
        array = numpy.from_dlpack(exported)
        assert array.ctypes.data == model.tensors["matrix"].ctypes.data
        assert not array.flags.writeable
        assert numpy.from_dlpack(model.dlpack("scalar")).shape == ()
        assert numpy.from_dlpack(model.dlpack("empty")).shape == (0, 5)
        with pytest.raises(KeyError):
            model.dlpack("other")
    del exported, model
    gc.collect()
    assert (array == matrix).all(), "open for as long as somebody has it"


def test_types_that_numpy_lacks_come_as_raw_bits(small):
    with trims.open(small[0]) as model:
        assert model.dtype("half") == "BF16"
        half = model.tensors["half"]
        assert half.view(numpy.uint16).tolist() == [0x3F80, 0x4000]


@pytest.fixture(scope="module")
def packed(daemon, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "packed.safetensors"
    write_safetensors(path, {
        "four": ("F4", (2, 2), b"\x21\x90"),  # 0.5 1.0, 0.0 -0.5
        "integers": ("I4", (2,), b"\x8f"),  # -1 -8
        "six": ("F6_E2M3", (4,), b"\x08\x00\x00"),
        "scale": ("F8_E8M0", (2,), b"\x7f\x80"),
        "new": ("F3_NEW", (5,), b"ab"),
    })
    trims.add("packed", path)
    return "packed"


def test_elements_of_less_than_a_byte_are_packed(packed):
    with trims.open(packed) as model:
        four = model.tensors["four"]
        assert isinstance(four, trims.PackedArray) and four.shape == (2, 2) and four.dtype == "F4"
        assert four.tobytes() == b"\x21\x90" and four.raw.dtype == numpy.uint8 and not four.raw.flags.writeable
        assert numpy.asarray(four).astype("f4").tolist() == [[0.5, 1.0], [0.0, -0.5]]
        assert numpy.asarray(model.tensors["integers"]).astype("i4").tolist() == [-1, -8]
        assert numpy.asarray(model.tensors["six"]).astype("f4").tolist() == [1.0, 0, 0, 0]
        assert model.tensors["scale"].astype("f4").tolist() == [1.0, 2.0]


def test_a_type_that_nobody_knows_comes_as_bytes(packed):
    with trims.open(packed) as model:
        new = model.tensors["new"]
        assert model.dtype("new") == new.dtype == "F3_NEW" and new.shape == (5,) and new.tobytes() == b"ab"
        with pytest.raises(TypeError, match="F3_NEW"):
            numpy.asarray(new)


def test_files_are_byte_for_byte(small):
    name, path, _ = small
    with trims.open(name, "files") as model:
        (file,) = model.files
        assert model.files[file] == path.read_bytes()
        assert model.files[file].readonly


def test_arrays_are_no_copies(small):
    with trims.open(small[0]) as model:
        first, second = model.tensors["matrix"], model.tensors["matrix"]
        assert first.ctypes.data == second.ctypes.data
        assert first.ctypes.data % 256 == 0
        assert not first.flags.owndata


def test_views_outlive_model_and_client(small):
    gc.collect()
    before = mapped()
    model = trims.open(small[0])
    view, rows = model.tensors["matrix"], model.tensors["matrix"][1:]
    model.close()
    model.close()
    assert model.closed
    del model
    gc.collect()
    assert view.sum() == small[2].sum() and rows.sum() == small[2][1:].sum()
    assert mapped() > before
    del view
    gc.collect()
    assert rows.sum() == small[2][1:].sum()
    del rows
    gc.collect()
    assert mapped() == before


def test_the_lease_ends_with_the_last_view(small, daemon):
    def leases():
        return daemon.command("status")["leases"]

    gc.collect()
    before = leases()
    model = trims.open(small[0])
    view = model.tensors["matrix"]
    assert leases() == before + 1
    model.close()
    del model
    assert leases() == before + 1
    del view
    gc.collect()
    trims.status()  # a round trip on the connection that the lease was closed on or after it
    assert leases() == before


def test_reference_counts_stay_even(small):
    model = trims.open(small[0])
    core = model._core
    before = sys.getrefcount(core)
    for _ in range(100):
        list(model.tensors.values())
    gc.collect()
    assert sys.getrefcount(core) == before


def test_nothing_makes_a_view_writable(small):
    model = trims.open(small[0])
    array = model.tensors["matrix"]
    with pytest.raises(ValueError):
        array[0, 0] = 1
    with pytest.raises(ValueError):
        array.flags.writeable = True
    with pytest.raises(ValueError):
        array.reshape(-1).flags.writeable = True
    with trims.open(small[0], "files") as files:
        view = files.files[next(iter(files.files))]
        with pytest.raises(TypeError):
            view[0] = 1


def test_a_write_past_python_ends_the_process(small):
    code = (
        "import ctypes, trims\n"
        f"array = trims.open({small[0]!r}).tensors['matrix']\n"
        "ctypes.memset(array.ctypes.data, 1, 1)\n"
        "print('written')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -11 and "written" not in done.stdout, done.stderr


def test_models_are_not_pickled_or_copied(small):
    model = trims.open(small[0])
    for refused in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="send its reference"):
            refused(model)


def test_threads_open_and_read_at_once(small):
    name, _, matrix = small
    failures = []

    def work():
        try:
            for _ in range(20):
                with trims.open(name) as model:
                    assert (model.tensors["matrix"] == matrix).all()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_forked_child_opens_for_itself(small):
    model = trims.open(small[0])
    child = os.fork()
    if child == 0:
        fine = trims.open(small[0]).tensors["matrix"].sum() == small[2].sum() == model.tensors["matrix"].sum()
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert model.tensors["matrix"].sum() == small[2].sum()


def test_errors_have_code_and_hint(small):
    with pytest.raises(trims.NotFound) as unknown:
        trims.open("smal")
    assert unknown.value.code == "NOT_FOUND" and "smal" in unknown.value.message
    assert "small" in str(unknown.value)
    assert isinstance(unknown.value, (trims.Error, LookupError))
    with pytest.raises(trims.InvalidArgument):
        trims.open("no/such/deep/name")
    with pytest.raises(ValueError):
        trims.open(small[0], "nonsense")
    with trims.open(small[0]) as model, pytest.raises(KeyError) as missing:
        model.tensors["matrx"]
    assert isinstance(missing.value, trims.NotFound)
    with pytest.raises(trims.FailedPrecondition):
        model.tensors["matrix"]


@pytest.mark.parametrize("call", [
    lambda seconds: trims.open("small", deadline=seconds),
    lambda seconds: trims.add("small", "x", timeout=seconds),
])
def test_seconds_are_checked_by_name(small, call):
    for seconds, kind in (("x", TypeError), (True, TypeError), (-1, ValueError), (float("nan"), ValueError)):
        with pytest.raises(kind, match="^(INVALID_ARGUMENT: )?(deadline|timeout) is .*expected seconds"):
            call(seconds)
    trims.open("small", deadline=float("inf")).close()


def test_a_path_in_place_of_a_name_says_how_to_add_it(daemon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my model"
    path.mkdir()
    (path / "w.bin").write_bytes(b"x" * 100)
    for reference, error in ((str(path), trims.InvalidArgument), ("my model", trims.InvalidArgument)):
        with pytest.raises(error) as raised:
            trims.open(reference)
        assert raised.value.hint == f"add it first: trims add my-model '{reference}'"
    path.rename(tmp_path / "plain")
    with pytest.raises(trims.NotFound) as raised:
        trims.open("plain")
    assert raised.value.hint == "add it first: trims add plain plain"


def test_sources_are_those_of_the_command_line(daemon, tmp_path, monkeypatch):
    write_safetensors(tmp_path / "whole.safetensors", {"a": ("F32", (1,), b"1234")})
    snapshot = tmp_path / "hub/models--org--net/snapshots" / ("ab" * 20)
    snapshot.mkdir(parents=True)
    (tmp_path / "whole.safetensors").rename(snapshot / "model.safetensors")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    for source in ("hf-cache:org/net", tmp_path / "hub/models--org--net", "hub/models--org--net", os.fsencode(snapshot)):
        assert trims.add("of-hub", source, variants="tensors")["source"] == f"file://{snapshot}"
    for source, hint in (("hf-cache:org/ne", "hf-cache:org/net"), ("hbu", f"did you mean {tmp_path}/hub?"), ("", "path"),
                         ("org/net", "hf-cache:org/net"), ("https://huggingface.co/org/net", "hf-cache:org/net")):
        with pytest.raises(trims.Error) as raised:
            trims.add("of-hub", source)
        assert hint in raised.value.hint
    name = os.fsencode(tmp_path) + b"/m\xe9.safetensors"
    os.symlink(snapshot / "model.safetensors", name)
    for source in (name, os.fsdecode(name)):
        with pytest.raises(trims.InvalidArgument, match="rename the file"):
            trims.add("of-hub", source)


def test_operators_calls(daemon, small, tmp_path):
    stages = []
    path = tmp_path / "weights.bin"
    path.write_bytes(b"x" * 10000)
    added = trims.add("passing", path, variants=["files"], progress=lambda *args: stages.append(args))
    assert "passing" in str(added)
    assert any("passing" in entry["reference"] for entry in trims.ls()["models"])
    assert trims.show("passing")["digest"] if "digest" in trims.show("passing") else trims.show("passing")
    assert trims.status()["leases"] >= 0
    trims.rm("passing")
    with pytest.raises(trims.NotFound):
        trims.open("passing", "files")


def test_a_file_of_any_name_and_its_url(daemon, tmp_path):
    path = tmp_path / "m\u00fc 100%#1.bin"
    path.write_bytes(b"z" * 10000)
    added = trims.add("odd", path, variants=["files"])
    assert added["source"] == path.as_uri()
    assert trims.add("odd", added["source"], variants=["files"])["digest"] == added["digest"]
    assert bytes(trims.open("odd", "files").files[path.name]) == path.read_bytes()


def test_an_exception_of_the_progress_callback_is_raised(daemon, tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"y" * 10000)

    def fail(*_):
        raise RuntimeError("stop that")

    with pytest.raises(RuntimeError, match="stop that"):
        trims.add("progressing", path, variants=["files"], progress=fail)


def _add_another(name, tmp_path, content):
    path = tmp_path / f"{name}.bin"
    path.write_bytes(content)
    trims.add(name, path, variants=["files"])


def test_an_open_that_waits_tells_how_far_the_load_is(daemon, tmp_path):
    _add_another("awaited", tmp_path, b"a" * 10000)
    told = []
    trims.open("awaited", progress=told.append).close()
    first = told[0]
    assert isinstance(first, trims.LoadProgress)
    assert (first.tier, first.bytes_total) == ("host", 10000)
    assert all(0 <= load.bytes_done <= load.bytes_total for load in told), "it may be done as soon as it is told"
    assert all((load.bytes_per_second == 0) == (load.remaining is None) for load in told)
    assert [load.bytes_done for load in told] == sorted(load.bytes_done for load in told)
    del told[:]
    trims.open("awaited", progress=told.append).close()
    assert told == [], "it is resident"


def test_an_exception_of_the_callback_gives_up_the_open(daemon, tmp_path):
    _add_another("given_up", tmp_path, b"g" * 10000)

    def fail(load):
        raise RuntimeError(f"not for {load.bytes_total} bytes")

    with pytest.raises(RuntimeError, match="not for 10000 bytes"):
        trims.open("given_up", "files", progress=fail)
    assert bytes(trims.open("given_up", "files").files["given_up.bin"]) == b"g" * 10000


def test_a_callback_that_opens_something_itself_is_an_error_and_no_deadlock(daemon, tmp_path, small):
    _add_another("nested", tmp_path, b"n" * 10000)
    with pytest.raises(trims.FailedPrecondition, match="progress callback"):
        trims.open("nested", "files", progress=lambda load: trims.open("small"))


def test_no_daemon_and_none_may_be_started(tmp_path):
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "TRIMS_AUTOSTART": "0", "HOME": str(tmp_path)}
    environment.pop("TRIMS_SOCKET", None)
    code = "import trims\ntry: trims.open('x')\nexcept trims.Error as e: print(e.code)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "UNAVAILABLE", done.stderr


def test_the_package_starts_a_daemon_of_its_own(tmp_path, small):
    """The wheel brings trimsd along: a user types one line."""
    tmp_path.chmod(0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"),
                   "HOME": str(tmp_path), "TRIMS_AUTOSTART": "1"}
    environment.pop("TRIMS_SOCKET", None)
    code = (
        "import trims, json\n"
        f"trims.add('mine', {str(small[1])!r}, variants=['tensors'])\n"
        "print(trims.open('mine').tensors['matrix'].sum())\n"
        "print(json.dumps(trims.status()))"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert done.stdout.split("\n")[0] == str(small[2].sum()), done.stderr
    finally:
        end_daemons_of(tmp_path)


@pytest.mark.parametrize("program", ["trims", "trimsd"])
def test_the_wheel_installs_the_programs(program):
    done = subprocess.run([f"{sys.prefix}/bin/{program}", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and "0.1.0" in done.stdout, done.stderr


def end_daemons_of(folder):
    """The trimsd that serves a socket in this folder, which nobody else can have started."""
    socket = f"{folder}/trims/trimsd.sock"
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"trimsd") and any(socket.encode() in word for word in words):
            descriptor = os.pidfd_open(int(entry))
            os.kill(int(entry), 15)
            import select

            select.select([descriptor], [], [], 20)
            os.close(descriptor)


def test_how_long_a_model_stays_is_asked_and_changed(daemon, tmp_path):
    (tmp_path / "kept.bin").write_bytes(b"kept" * 1024)
    trims.add("kept-alive", str(tmp_path / "kept.bin"))
    assert trims.keep_alive("kept-alive") is None
    assert trims.keep_alive("kept-alive", "90s") == "90s"
    assert trims.show("kept-alive")["keep_alive"] == "90s"
    with trims.open("kept-alive"):
        pass
    segment = next(s for s in trims.status()["segments"] if s["reference"].startswith("default/kept-alive:"))
    assert segment["keep_alive"] == "90s"
    assert 0 < segment["goes_in_ms"] <= 90_000
    assert trims.keep_alive("kept-alive", "forever") == "forever"
    with pytest.raises(trims.InvalidArgument, match="'late' is no time"):
        trims.keep_alive("kept-alive", "late")
    assert trims.keep_alive("kept-alive", "default") is None
    trims.rm("kept-alive")


def test_a_namespace_gets_a_quota_and_loses_it(daemon, tmp_path):
    (tmp_path / "one.bin").write_bytes(b"one" * 1024)
    trims.add("team-q/one", str(tmp_path / "one.bin"))
    try:
        quotas = trims.policy(quota="team-q:leases=1")["quotas"]
        assert quotas == [{"namespace": "team-q", "quota": {"bytes": None, "leases": 1, "loads": None, "loads_per_minute": None, "guaranteed": 0}}]
        with trims.open("team-q/one"), pytest.raises(trims.QuotaExceeded, match="1 leases of 1"):
            trims.open("team-q/one")
        with pytest.raises(trims.InvalidArgument, match="in every tier"):
            trims.policy(quota="team-q:leases=2", tier="host")
        with pytest.raises(trims.InvalidArgument, match="no number"):
            trims.policy(quota="team-q:leases=some")
    finally:
        trims.policy(quota="team-q:none")
    assert trims.policy()["quotas"] == []
    with trims.open("team-q/one"), trims.open("team-q/one"):
        pass
    trims.rm("team-q/one")


def test_what_decides_about_what_stays_is_asked_and_changed(daemon):
    before = trims.policy()
    assert (before["tier"], before["reclaim"], before["eviction_policy"], before["admission"]) == ("host", "lazy", "worth", "all")
    try:
        trims.policy(eviction="gdsf")
        trims.policy(admission="tinylfu", tier="host")
        after = trims.policy()
        assert (after["reclaim"], after["eviction_policy"], after["admission"]) == ("lazy", "gdsf", "tinylfu")
        with pytest.raises(trims.InvalidArgument, match="no reclaim 'late'"):
            trims.policy(reclaim="late")
        with pytest.raises(trims.NotFound, match="moon"):
            trims.policy(tier="moon")
        with pytest.raises(trims.InvalidArgument, match="0 bytes"):
            trims.policy(budget="0")
        assert trims.policy(budget="77MiB")["budget_bytes"] == 77 << 20
        assert trims.policy(tier="disk", budget="7GiB")["budget_bytes"] == 7 << 30
        assert trims.policy(tier="disk", budget="none")["budget_bytes"] is None
    finally:
        trims.policy(eviction="worth", admission="all", reclaim="lazy", budget=str(before["budget_bytes"]))
