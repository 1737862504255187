#!/usr/bin/env bash
# Compares TrIMS' readers with the library of a format on generated files.
#   run.sh safetensors|onnx READ_MODELS KEPT [--count N] [--seed N] [--json FILE]
# What differs and shouldn't is kept in the folder KEPT, with its seed printed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../../../.venv/bin/python
[ -x "$python" ] || { echo "no .venv here (try: scripts/setup)" >&2; exit 1; }
format=$1 driver=$2 kept=$3
shift 3
exec "$python" -B "$here/differential_$format.py" --driver "$driver" --kept "$kept" "$@"
