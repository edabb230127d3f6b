#!/bin/sh
# Installs what is missing of Debian's packages. Asks for nothing; does nothing where all is there.
#
#   tools/setup.sh run     what building and running needs
#   tools/setup.sh test    and what the tests need
set -eu

run="gcc make cmake ninja-build pkg-config python3 python3-yaml ca-certificates binutils
     libh2o-evloop-dev libwslay-dev libssl-dev zlib1g-dev libsqlite3-dev libpq-dev libsodium-dev libjwt-dev libjansson-dev"
test="clang clang-format clang-tidy libclang-rt-14-dev libcmocka-dev postgresql chromium chromium-sandbox
      fonts-noto-core fonts-noto-cjk openssl curl util-linux procps"
bench="wrk nghttp2-client"

case "${1:-run}" in
run) wanted=$run ;;
test) wanted="$run $test $bench" ;;
*) echo "usage: tools/setup.sh run|test" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done

# Node from Debian unless a good one is there already.
node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }
major=$(node_major)
if [ "${major:-0}" -lt 18 ] || ! command -v npm >/dev/null 2>&1; then
    missing="$missing nodejs npm"
fi
[ -n "$missing" ] || exit 0

give_up() {
    printf '%s\n' "$@" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 ||
    give_up "This machine has no apt-get: Folkmoot is built on Debian 12. Elsewhere, install what these packages hold, then \`make build web\`:$missing"

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
        give_up "These packages are missing:$missing" "Install them as root (apt-get install$missing), or install sudo, and try again."
    as_root=sudo
fi
echo "Installing:$missing"
$as_root apt-get update -qq || give_up "Debian's packages cannot be listed. Is there a network, and does $(id -un) have the right to install?"
# The tests start a PostgreSQL of their own: its package need not make and start another.
no_cluster=
trap '[ -z "$no_cluster" ] || $as_root rm -f "$no_cluster"' EXIT
case " $missing " in *" postgresql "*)
    no_cluster=/etc/postgresql-common/createcluster.d/folkmoot.conf
    $as_root mkdir -p "$(dirname "$no_cluster")"
    echo "create_main_cluster = false" | $as_root tee "$no_cluster" >/dev/null
    ;;
esac
# shellcheck disable=SC2086
output=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing 2>&1) ||
    give_up "$output" "Not all packages could be installed. When this was the network, start the same command again; else install them yourself: apt-get install$missing"

hash -r
major=$(node_major)
[ "${major:-0}" -ge 18 ] || give_up "The node that is found first, $(command -v node), is $(node --version); version 18 or newer is needed. Take it out of PATH."
