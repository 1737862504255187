#!/usr/bin/env bash
# The bundle for a machine with a GPU, made of this build and run against the stand-in for a driver: every answer right.
# Usage: gpu_bundle_test.sh SOURCE BUILD
set -euo pipefail
out="$2/gpu-bundle-test"
trap 'rm -rf "$out" "$out.json" "$out.own"' EXIT
"$1/scripts/gpu-bundle" --build "$2" --out "$out"
"$out/run" --standin --json "$out.json"
grep -q '"metric": "worst"' "$out.json"
# With nothing of this machine's but the C library and the compiler's runtime: not even what its folders have.
for program in "$out"/bin/*; do LD_LIBRARY_PATH="$out/lib" ldd "$program"; done |
  awk -v lib="$out/lib/" '$2 == "=>" && $1 !~ /^(libc|libm|libdl|libpthread|librt)\.so/ && index($3, lib) != 1 { print "not in the bundle:", $1; bad = 1 }
    END { exit bad }'
if "$out/run" --moon 2> /dev/null; then echo "run takes any argument" >&2; exit 1; fi
mkdir "$out.own" && touch "$out.own/theirs"  # which is somebody's
if "$1/scripts/gpu-bundle" --build "$2" --out "$out.own" 2> /dev/null; then echo "gpu-bundle takes any folder" >&2; exit 1; fi
[ -f "$out.own/theirs" ]
