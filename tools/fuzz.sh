#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds from its corpus: tools/fuzz.sh 60. New inputs go to build-fuzz/found.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
cmake -S . -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFOLKMOOT_SANITIZE=ON -DFOLKMOOT_FUZZ=ON >/dev/null
targets=$(for source in tests/fuzz/*_fuzz.c; do basename "$source" .c; done)
# shellcheck disable=SC2086
cmake --build build-fuzz --target $targets
for target in $targets; do
    name=${target%_fuzz}
    mkdir -p "build-fuzz/found/$name"
    "$(find build-fuzz -name "$target" -type f -perm -u+x | head -1)" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="build-fuzz/found/$name-" "build-fuzz/found/$name" "tests/fuzz/corpus/$name" 2>"build-fuzz/$name.txt" || {
        cat "build-fuzz/$name.txt"
        echo "$target failed; the input is in build-fuzz/found" >&2
        exit 1
    }
    echo "$name: $(grep -a 'stat::number_of_executed_units' "build-fuzz/$name.txt" | tr -dc '0-9') inputs, none failed"
done
