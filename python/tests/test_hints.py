"""Each hint that is a command is run, by a shell, as it was printed: what it promises has to come true."""

import json
import os
import subprocess
from pathlib import Path

import pytest
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
        for begin in ("trims ", "git ", "hf "):
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
    assert (shell.folder / "asked").read_text().split() == ["download", "org/net"]
