#!/usr/bin/env bash
# Runs the tests of what is written in Python against the programs of a build folder.
#   run.sh package BUILD    builds the wheel, installs it into a fresh virtual environment and runs pytest there; then trims.mxnet's
#                           tests with MXNet and trims.torch's with PyTorch, which have environments of their own
#   run.sh backend BUILD    ONNX's own back-end tests, each through plain ONNX Runtime and through TrIMS
#   run.sh cases BUILD      likewise, only the models as people keep them; more words go to pytest
#   run.sh demo BUILD       every function once without and once with TrIMS, with the right answer
#   run.sh evaluate BUILD   the smallest evaluation: two networks in every way, once, with the right answers
set -euo pipefail
cd "$(dirname "$0")/../.."
what=$1 build=$(realpath "$2") python=$PWD/.venv/bin/python
shift 2
[ -x "$python" ] || { echo "no .venv here (try: scripts/setup)" >&2; exit 1; }
scripts/fetch-models >&2

if [ "$what" = evaluate ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
  scripts/evaluate --smoke --build "$build" --out "$out"
  for file in {figure8,figure9,throughput}.{csv,json,svg,png} report.md schedules.json {small,throughput}.trace.json; do
    [ -s "$out/$file" ] || { echo "no $file was written" >&2; exit 1; }
  done
  # The same functions on MXNet.
  scripts/evaluate --smoke --framework mxnet --build "$build" --out "$out/mxnet"
  [ -s "$out/mxnet/figure9.svg" ] && [ -s "$out/mxnet/throughput.csv" ] || { echo "nothing was written of MXNet" >&2; exit 1; }
  grep -q 'every answer was right' "$out/mxnet/report.md" || { cat "$out/mxnet/report.md" >&2; exit 1; }
  # And where functions want their models on a device, which is simulated.
  scripts/evaluate --smoke --tier device:0 --models squeezenet-1.1 --figure 8,9 --build "$build" --out "$out/device"
  for words in 'every answer was right' 'host hit, copied to the device' 'The device is simulated'; do
    grep -q "$words" "$out/device/report.md" || { cat "$out/device/report.md" >&2; exit 1; }
  done
  # A second run finds all results there and measures nothing.
  scripts/evaluate --smoke --build "$build" --out "$out" 2>&1 | tee "$out/again" >&2
  if grep -E '\[[0-9]+/|writing' "$out/again"; then echo "the second run measured again" >&2; exit 1; fi
  grep -q 'every answer was right' "$out/report.md" || { cat "$out/report.md" >&2; exit 1; }
  exit
fi

scratch=$(mktemp -d)
chmod 755 "$scratch"  # functions run as users of their own
trap 'rm -rf "$scratch"' EXIT
exec 9>"$build/python-wheel.lock"
flock 9
SKBUILD_CMAKE_DEFINE="TRIMS_PROGRAMS_FROM=$build" SKBUILD_BUILD_DIR="$build/python-wheel" "$python" -m pip wheel --quiet \
  --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir "$scratch" ./python
flock -u 9

# A fresh environment: only the wheel is installed in it; NumPy, ONNX Runtime and pytest come from .venv by a .pth file.
"$python" -m venv --without-pip "$scratch/venv"
"$python" -m pip --disable-pip-version-check --python "$scratch/venv/bin/python" install --quiet --no-deps "$scratch"/*.whl
site=$(echo "$scratch"/venv/lib/python3*/site-packages)
echo "$PWD"/.venv/lib/python3*/site-packages > "$site/dependencies.pth"

if [ "$what" = backend ]; then
  "$scratch/venv/bin/python" tests/accept/backend/run.py --build "$build" "$@"
elif [ "$what" = demo ]; then
  "$python" demo/run.py --build "$build" --site "$site" --repetitions 1 --functions 3
else
  tests=python/tests
  [ "$what" = cases ] && tests=python/tests/test_kept_models.py
  TRIMS_TEST_BUILD=$build "$scratch/venv/bin/python" -m pytest -q -p no:cacheprovider "$tests" "$@"
  if [ "$what" = package ] && [ $# = 0 ]; then
    [ -x .venv-mxnet/bin/python ] || { echo "no .venv-mxnet here (try: scripts/setup)" >&2; exit 1; }
    TRIMS_TEST_BUILD=$build PYTHONPATH=$site .venv-mxnet/bin/python -m pytest -q -p no:cacheprovider python/tests/test_mxnet.py
    [ -x .venv-torch/bin/python ] || { echo "no .venv-torch here (try: scripts/setup)" >&2; exit 1; }
    TRIMS_TEST_BUILD=$build PYTHONPATH=$site .venv-torch/bin/python -m pytest -q -rs -p no:cacheprovider python/tests/test_torch.py
  fi
fi
