"""Each hint that is a command is run, by a shell, as it was printed: what it promises has to come true."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import trims
from conftest import write_safetensors
from test_kept_models import Hub, one, save

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 64\n"


class Shell:
    """A shell with `trims` of this daemon, and stand-ins for the programs that fetch."""

    def __init__(self, daemon, folder):
        self.folder = folder
        programs = folder / "programs"
        programs.mkdir()
        (programs / "trims").symlink_to(Path(os.environ["TRIMS_TEST_BUILD"]) / "src/tools/trims/trims")
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "TRIMS_SOCKET": str(daemon.socket)}

    def stand_in(self, program, script):
        path = self.folder / "programs" / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, command):
        return subprocess.run(["sh", "-c", command], text=True, capture_output=True, env=self.environment, cwd=self.folder)

    def hint(self, command):
        """The command in the hint of one that fails."""
        done = self.run(command)
        assert done.returncode != 0, done.stdout
        [line] = [line for line in done.stderr.splitlines() if line.startswith("next: ")]
        for begin in ("trims ", "git ", "hf ", "mkdir ", "chmod "):
            if begin in line:
                return line[line.index(begin):]
        raise AssertionError(f"no command in {line!r}")


@pytest.fixture
def shell(daemon, tmp_path):
    return Shell(daemon, tmp_path)


def quoted(path):
    return "'" + str(path).replace("'", "'\\''") + "'"


def follows(shell, command):
    """Runs the hint, which has to work; then the command's model is there."""
    hint = shell.hint(command)
    done = shell.run(hint)
    assert done.returncode == 0, (hint, done.stderr)
    return hint


@pytest.fixture
def odd(tmp_path):
    """A folder whose name a shell would take apart."""
    folder = tmp_path / "it's $(touch hit) a folder"
    folder.mkdir()
    yield folder
    assert not (tmp_path / "hit").exists()


def test_links_are_followed(shell, odd):
    write_safetensors(shell.folder / "elsewhere", one(1))
    (odd / "m.safetensors").symlink_to("../elsewhere")
    assert "--follow-links" in follows(shell, f"trims add hint-links {quoted(odd)}")


def test_what_is_there_is_kept(shell, odd):
    write_safetensors(odd / "m-00001-of-00002.safetensors", one(1))
    assert "--variant files" in follows(shell, f"trims add hint-shard {quoted(odd)}")


def test_a_precision_that_there_is(shell, odd):
    for precision in ("", ".fp16"):
        write_safetensors(odd / f"m{precision}.safetensors", one(1))
    assert "--precision fp16" in follows(shell, f"trims add hint-precision {quoted(odd)} --precision bf16")
    (odd / "m.fp16.safetensors").unlink()
    assert "--precision" not in follows(shell, f"trims add hint-none {quoted(odd)} --precision bf16")


def test_the_variant_that_was_not_made(shell, odd):
    path = save(odd)
    assert shell.run(f"trims add hint-variant {quoted(path)} --variant files").returncode == 0
    python = (f"import sys, trims; sys.argv\ntry: trims.open('hint-variant', variant='tensors')\n"
              "except trims.Error as error: print(error.hint)")
    done = subprocess.run([os.sys.executable, "-c", python], text=True, capture_output=True, env=shell.environment)
    hint = done.stdout.strip()
    assert hint.startswith("trims add default/hint-variant"), done
    assert shell.run(hint).returncode == 0
    kinds = json.loads(shell.run("trims show hint-variant --json").stdout)["variants"]
    assert {variant["kind"] for variant in kinds} == {"files", "tensors"}


def test_a_pointer_is_completed(shell, odd):
    path = odd / "model.safetensors"
    path.write_text(POINTER)
    assert "get 'model.safetensors' again" in shell.run(f"trims add hint-pointer {quoted(path)}").stderr
    (odd / ".git").mkdir()
    write_safetensors(shell.folder / "whole", one(1))
    shell.stand_in("git", '[ "$3 $4" = "lfs pull" ] && cp whole "$2/model.safetensors"')
    follows(shell, f"trims add hint-pointer {quoted(path)}")
    assert shell.run(f"trims add hint-pointer {quoted(path)}").returncode == 0


def test_the_hub_is_asked(shell):
    write_safetensors(shell.folder / "whole", one(1))
    hub = Hub(shell.folder / "hub")
    shell.environment["HF_HUB_CACHE"] = str(hub.cache)
    shell.stand_in("hf", 'echo "$@" > asked')
    follows(shell, "trims add hint-hub hf-cache:else/where")
    assert (shell.folder / "asked").read_text().split() == ["download", "else/where"]
    snapshot = hub.snapshot("0123", {"model.safetensors": shell.folder / "whole"})
    (snapshot / "model.safetensors").resolve().unlink()
    follows(shell, f"trims add hint-blob {snapshot}")
    assert (shell.folder / "asked").read_text().split() == ["download", "org/net", "--revision", "0123"]
    hub.snapshot("0123", {}, ref="main")
    follows(shell, f"trims add hint-blob {snapshot}")
    assert (shell.folder / "asked").read_text().split() == ["download", "org/net"]


class OwnShell(Shell):
    """A shell of a user who has no daemon yet; those that are started end with it."""

    def __init__(self, folder):
        self.folder = folder
        folder.chmod(0o700)
        tools = Path(os.environ["TRIMS_TEST_BUILD"]) / "src/tools"
        (folder / "programs").mkdir()
        for program in ("trims", "trimsd"):
            (folder / "programs" / program).symlink_to(tools / program / program)
        self.environment = {
            **os.environ, "PATH": f"{folder / 'programs'}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(folder),
            "XDG_DATA_HOME": str(folder / "data"), "HOME": str(folder), "TRIMS_AUTOSTART": "1",
            "TRIMSD": str(tools / "trimsd/trimsd"),
        }
        self.environment.pop("TRIMS_SOCKET", None)

    def pid(self):
        done = self.run("trims status --json --no-autostart")
        return json.loads(done.stdout)["server"]["pid"] if done.returncode == 0 else None

    def end(self):
        pid = self.pid()
        if pid is None:
            return
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
        self.await_end(process)

    @staticmethod
    def await_end(process):
        assert select.select([process], [], [], 30)[0]
        os.close(process)

    def check(self, name, before=""):
        """One check of the doctor's."""
        return next(check for check in json.loads(self.run(before + "trims doctor --json").stdout)["checks"] if check["id"] == name)


@pytest.fixture
def own(tmp_path):
    shell = OwnShell(tmp_path)
    yield shell
    shell.end()


def test_a_daemon_is_started(own):
    for named in (own.folder / "trims/trimsd.sock", own.folder / "a folder/its own.sock"):
        if named.parent.name != "trims":
            own.environment["TRIMS_SOCKET"] = str(named)
        hint = own.run("trims ls --no-autostart").stderr.splitlines()[-1]
        assert hint.startswith("next: start one: trimsd ") and hint.endswith(" &")
        assert own.check("daemon", "TRIMS_AUTOSTART=0 ")["mend"] == hint.removeprefix("next: ")
        started = subprocess.Popen(["sh", "-c", hint.removeprefix("next: start one: ")], env=own.environment, stderr=subprocess.PIPE,
                                   text=True, cwd=own.folder)
        with started.stderr as log:
            assert any("trimsd.serving" in line for line in log)
            assert own.run("trims ls").returncode == 0
            own.end()
        started.wait()


def test_folders_are_made(own):
    own.environment["XDG_RUNTIME_DIR"] = str(own.folder / "not there/run")
    hint = own.hint("trims ls")
    assert own.check("socket-folder")["mend"] == hint
    assert own.run(hint).returncode == 0
    os.chmod(own.environment["XDG_RUNTIME_DIR"], 0o700)
    assert own.run("trims ls").returncode == 0


def test_a_file_in_the_place_of_the_data_goes(own):
    (own.folder / "data").write_text("")
    assert own.run(own.check("data-folder")["mend"]).returncode == 0
    assert own.check("data-folder")["level"] == "ok"
    assert own.run("trims ls").returncode == 0


def test_a_daemon_whose_data_is_gone_ends(own):
    assert own.run("trims ls").returncode == 0
    process = os.pidfd_open(own.pid())
    shutil.rmtree(own.folder / "data")
    assert own.run(own.check("data-folder")["mend"]).returncode == 0
    own.await_end(process)
    assert own.run("trims ls").returncode == 0 and own.check("data-folder")["level"] == "ok"


def test_what_is_no_socket_goes(own):
    own.environment["TRIMS_SOCKET"] = str(own.folder / "it's no socket")
    (own.folder / "it's no socket").write_text("")
    doctor = own.hint("trims ls")
    assert own.run(doctor).returncode == 1
    assert own.run(own.check("socket")["mend"]).returncode == 0
    assert own.check("socket")["level"] == "ok"


def test_a_folder_that_others_may_write_is_closed(own):
    (own.folder / "trims").mkdir()
    (own.folder / "trims").chmod(0o777)
    hint = own.hint("trims ls")
    assert own.check("socket-folder")["mend"] == hint
    assert own.run(hint).returncode == 0
    assert own.run("trims ls").returncode == 0


def test_a_token_that_others_may_read_is_closed(shell):
    token = shell.folder / "the token"
    token.write_text("0123456789abcdef")
    token.chmod(0o644)
    program = Path(os.environ["TRIMS_TEST_BUILD"]) / "src/tools/http/trims-http"
    said = shell.run(f"{program} --listen 127.0.0.1:0 --token-file {quoted(token)}").stderr
    assert shell.run(re.search(r"\(try: (chmod .*)\)", said)[1]).returncode == 0
    assert token.stat().st_mode & 0o777 == 0o600


def test_a_limit_is_raised(own):
    few = "ulimit -Sn 100; "
    mend = own.check("open-files", few)["mend"]
    assert own.check("open-files", f"{few}{mend}; ")["level"] == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_is_made_readable(shell):
    path = shell.folder / "it's secret.safetensors"
    write_safetensors(path, one(1))
    path.chmod(0)
    follows(shell, f"trims add hint-mode {quoted(path)}")
    assert shell.run(f"trims add hint-mode {quoted(path)}").returncode == 0


def test_other_content_takes_the_place(shell):
    for number in (1, 2):
        write_safetensors(shell.folder / f"{number}.safetensors", one(number))
    assert shell.run("trims add hint-taken:1 1.safetensors").returncode == 0
    assert "trims rm " in follows(shell, "trims add hint-taken:1 2.safetensors")
    assert shell.run("trims add hint-taken:1 2.safetensors").returncode == 0
    (shell.folder / "2.safetensors").write_bytes((shell.folder / "1.safetensors").read_bytes())
    with pytest.raises(trims.Error) as raised:
        trims.open("hint-taken:1", "files", socket=shell.environment["TRIMS_SOCKET"])
    assert raised.value.hint.endswith(", and add it again")
    remove = re.search("trims rm [^,]+", raised.value.hint)[0]
    assert shell.run(f"{remove} && trims add hint-taken:1 2.safetensors").returncode == 0


def test_what_there_is_is_shown(shell):
    write_safetensors(shell.folder / "m.safetensors", one(1))
    assert shell.run("trims add hint-version:1 m.safetensors").returncode == 0
    follows(shell, "trims show hint-version:2")


def test_what_trace_takes_is_shown(shell):
    assert "record" in shell.run(shell.hint("trims trace summarise")).stdout


def test_damage_is_kept_as_files(shell):
    path = shell.folder / "broken.safetensors"
    path.write_bytes((8).to_bytes(8, "little") + b"not json")
    assert "--variant files" in follows(shell, f"trims add hint-broken {path} --variant tensors")


def test_a_path_in_python_is_added(shell, odd):
    write_safetensors(odd / "m.safetensors", one(1))
    with pytest.raises(trims.Error) as raised:
        trims.open(str(odd), socket=shell.environment["TRIMS_SOCKET"])
    command = raised.value.hint.removeprefix("add it first: ")
    assert shell.run(command).returncode == 0
    assert shell.run(f"trims show {command.split()[2]}").returncode == 0


@pytest.fixture
def stays(shell, odd):
    """A model that is there, with one variant."""
    write_safetensors(odd / "m.safetensors", one(1))
    assert shell.run(f"trims add hint-stays {quoted(odd / 'm.safetensors')} --variant tensors").returncode == 0
    assert shell.run("trims prefetch hint-stays").returncode == 0
    return "hint-stays"


def test_a_pin_is_taken_away(shell, stays):
    assert shell.run(f"trims pin {stays}").returncode == 0
    assert follows(shell, f"trims evict {stays}").startswith("trims unpin default/hint-stays:")
    assert shell.run(f"trims evict {stays}").returncode == 0


def test_a_name_is_kept_alive(shell, stays):
    version = json.loads(shell.run(f"trims show {stays} --json").stdout)["version"]
    assert follows(shell, f"trims keep-alive {stays}:{version} 1m") == f"trims keep-alive default/{stays} 1m"
    assert json.loads(shell.run(f"trims keep-alive {stays} --json").stdout)["keep_alive"] == "1m"
    assert shell.run(f"trims keep-alive {stays} default").returncode == 0


def test_what_is_open_goes_later(shell, stays):
    with trims.open(stays):
        assert follows(shell, f"trims evict {stays}").endswith("--when-idle")
    segments = json.loads(shell.run("trims status --json").stdout)["segments"]
    assert not [one for one in segments if "hint-stays" in one["reference"] and one["state"] == "resident"]


def test_a_drain_is_ended(shell, stays):
    assert shell.run("trims drain").returncode == 0
    with pytest.raises(trims.Unavailable) as refused:
        trims.open(stays, "tensors")
    hint = refused.value.hint
    done = shell.run(hint[hint.index("trims "):])
    assert done.returncode == 0, done.stderr
    trims.open(stays).close()


def test_an_alias_gives_its_name_back(shell, stays, odd):
    assert shell.run(f"trims alias hint-alias={stays}").returncode == 0
    follows(shell, f"trims add hint-alias {quoted(odd / 'm.safetensors')}")
    assert shell.run(f"trims add hint-alias {quoted(odd / 'm.safetensors')} --variant tensors").returncode == 0


def test_what_an_alias_means_goes_after_it(shell, stays):
    assert shell.run(f"trims alias hint-means={stays}").returncode == 0
    done = shell.run(f"trims rm {stays}")
    hint = done.stderr[done.stderr.rindex("trims alias --delete"):]
    assert shell.run(hint).returncode == 0
    assert shell.run(f"trims rm {stays}").returncode == 0
