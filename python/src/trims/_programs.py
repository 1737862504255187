"""The commands `trims` and `trimsd` that pip installs: the programs in the wheel."""

import os
import sys
from pathlib import Path


def _become(name):
    program = Path(__file__).parent / "bin" / name
    if not program.exists():
        sys.exit(f"{name}: this build of the package holds the client only (see docs/adapters.md)")
    os.execv(program, [str(program), *sys.argv[1:]])


def trims():
    _become("trims")


def trimsd():
    _become("trimsd")
