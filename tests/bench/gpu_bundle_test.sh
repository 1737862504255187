#!/usr/bin/env bash
# The bundle for a machine with a GPU, made of this build and run against the stand-in for a driver: every answer right.
# Usage: gpu_bundle_test.sh SOURCE BUILD
set -euo pipefail
out="$2/gpu-bundle-test"
trap 'rm -rf "$out" "$out.json"' EXIT
"$1/scripts/gpu-bundle" --build "$2" --out "$out"
"$out/run" --standin --json "$out.json"
grep -q '"metric": "worst"' "$out.json"
# With nothing of this machine's but the C library and the compiler's runtime: not even what its folders have.
for program in "$out"/bin/*; do LD_LIBRARY_PATH="$out/lib" ldd "$program"; done |
  awk -v lib="$out/lib/" '$2 == "=>" && $1 !~ /^(libc|libm|libdl|libpthread|librt)\.so/ && index($3, lib) != 1 { print "not in the bundle:", $1; bad = 1 }
    END { exit bad }'
! "$out/run" --moon 2> /dev/null
! "$1/scripts/gpu-bundle" --build "$2" --out "$1/docs" 2> /dev/null  # which is somebody's
[ -f "$1/docs/design.md" ]
