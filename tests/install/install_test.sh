#!/usr/bin/env bash
# Installs libtrims into a new folder and lets strangers find, build against and run it.
#   install_test.sh BUILD_FOLDER SOURCE_FOLDER C_COMPILER CXX_COMPILER
set -euo pipefail
build=$1 source=$2 cc=$3 cxx=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "install_test: $*" >&2; exit 1; }

expect_not_found() {
  local said
  said=$("$@" "$work/no/such.sock")
  [ "$said" = "UNAVAILABLE BF16" ] || fail "$1 said '$said': expected 'NOT_FOUND BF16'"
}

cmake --install "$build" --prefix "$work/root" --component libtrims > /dev/null
library=$(find "$work/root" -name 'libtrims.so.0')
[ -n "$library" ] || fail "libtrims.so.0 was not installed"

# libtrims depends on libc and libstdc++ only (with their loader and unwinder), and offers nothing but its own names.
needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for name in $needed; do
  case "$name" in
    libc.so.6 | libstdc++.so.6 | libgcc_s.so.1 | libm.so.6 | ld-linux-*) ;;
    *) fail "libtrims needs $name" ;;
  esac
done
foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -vE '^(trims_|_ZNK?5trims)' || true)
[ -z "$foreign" ] || fail "libtrims exports $foreign"

cmake -G Ninja -S "$source/tests/install/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/root" \
  -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" > "$work/log" || { cat "$work/log"; fail "find_package"; }
cmake --build "$work/cmake" > "$work/log" || { cat "$work/log"; fail "building the consumer"; }
expect_not_found "$work/cmake/consumer_cc"
expect_not_found "$work/cmake/consumer_c"

PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name trims.pc)")
export PKG_CONFIG_PATH
export LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(dirname "$library")
read -ra flags < <(pkg-config --cflags --libs trims)
"$cc" "$source/tests/install/consumer/main.c" -o "$work/by_pkg_config_c" "${flags[@]}"
"$cxx" -std=c++20 "$source/tests/install/consumer/main.cc" -o "$work/by_pkg_config_cc" "${flags[@]}"
expect_not_found "$work/by_pkg_config_c"
expect_not_found "$work/by_pkg_config_cc"
