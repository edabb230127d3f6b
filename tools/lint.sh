#!/usr/bin/env bash
# The form of the C sources: clang-format, clang-tidy.
set -eu
cd "$(dirname "$0")/.."
sources=$(find core gateway modules tests -path tests/node_modules -prune -o -name '*.[ch]' -print | sort)
# shellcheck disable=SC2086
clang-format --dry-run --Werror $sources
[ -f build-clang/compile_commands.json ] || cmake -S . -B build-clang -G Ninja -DCMAKE_C_COMPILER=clang >/dev/null
cmake --build build-clang >/dev/null
find core gateway modules -name '*.c' | sort | xargs -P "$(nproc)" -n 8 clang-tidy --quiet -p build-clang
