"""The demo's choice of a sandbox."""

from types import SimpleNamespace

import pytest
import run  # of demo/, see conftest.py


class Fake:
    """A sandbox in which every function writes this and ends."""

    def __init__(self, error):
        self.error, self.killed = error, False

    def path(self, outside, inside):
        return inside

    def start(self, *_arguments):
        def answer():
            raise RuntimeError(self.error)

        return SimpleNamespace(answer=answer, kill=lambda: setattr(self, "killed", True))


@pytest.mark.parametrize(("said", "works"), [
    ("a function said nothing: demo-vad: NOT_FOUND: no model 'vad'", True),
    ("a function said nothing: bwrap: Can't find source path X: Permission denied", False),
    ("a function said nothing: ", False),
])
def test_a_sandbox_works_if_the_function_itself_speaks(tmp_path, said, works):
    sandbox = Fake(said)
    daemon = SimpleNamespace(run_folder=tmp_path, socket=tmp_path / "s")
    assert run.probe_with(tmp_path, tmp_path, daemon)(sandbox) is works
    assert sandbox.killed
