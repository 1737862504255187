#!/usr/bin/env bash
# The bundle for a machine with a GPU, made of this build and run against the stand-in for a driver: every answer right.
# Usage: gpu_bundle_test.sh SOURCE BUILD
set -euo pipefail
out="$2/gpu-bundle-test"
trap 'rm -rf "$out" "$out.json"' EXIT
"$1/scripts/gpu-bundle" --build "$2" --out "$out"
"$out/run" --standin --json "$out.json"
grep -q '"metric": "worst"' "$out.json"
! "$out/run" --moon 2> /dev/null
