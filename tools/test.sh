#!/usr/bin/env bash
# Runs every suite, or those that are named, and ends with a line of each and the sum. Goes on after a failure. What a suite
# prints is kept in build/test/<suite>.txt and shown when the suite fails.
#
#   tools/test.sh               all
#   tools/test.sh c api_sqlite  these
set -u
cd "$(dirname "$0")/.."
. tools/test_suites.sh

mkdir -p build/test
chosen=${*:-$suites}
passed=0 failed=0 report=
for suite in $chosen; do
    case " $suites " in *" $suite "*) ;; *) echo "There is no suite $suite; there are: $suites" >&2; exit 2 ;; esac
done
for suite in $chosen; do
    out=build/test/$suite.txt
    begin=$(date +%s)
    printf '%-14s … ' "$suite"
    # A shell of its own: errexit does not work in a condition.
    if bash -euo pipefail -c ". tools/test_suites.sh; suite_$suite" >"$out" 2>&1; then
        passed=$((passed + 1)) verdict=passed
    else
        failed=$((failed + 1)) verdict=FAILED
    fi
    took=$(($(date +%s) - begin))
    tally=$(grep -aE '^(Tests |[0-9]+% tests passed|ok - |Ran [0-9]+ test)|[0-9]+ passed' "$out" | tail -2 | sed 's/\x1b\[[0-9;]*m//g' | tr -s ' ' | paste -sd ';')
    echo "$verdict (${took} s) $tally"
    [ "$verdict" = passed ] || { echo "---- the end of $out"; tail -n 80 "$out"; echo "----"; }
    grep -ahE '^(SKIPPED|skipped): ' "$out" | sort -u
done
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
