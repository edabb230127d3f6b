#!/bin/sh
# A private PostgreSQL for tests and benchmarks, with nothing of it outside of DIR.
#
#   tools/postgres_cluster.sh start DIR [--no-fsync]   makes the cluster when DIR has none, starts it, prints its URL
#   tools/postgres_cluster.sh stop DIR                 stops it; the data stays
#   tools/postgres_cluster.sh restart DIR              stops it at once and starts it, at the same address
#   tools/postgres_cluster.sh url DIR                  prints the URL of a started one
#
# It listens on a free port of 127.0.0.1 and on a unix socket beside its data. Called as root, the server runs as the
# user postgres (or nobody): PostgreSQL refuses to run as root. Remove DIR to remove all of it, after `stop`.
set -eu

usage() {
    sed -n '4,7s/^# *//p' "$0" >&2
    exit 2
}

complain() {
    echo "postgres_cluster: $1" >&2
    exit 1
}

[ $# -ge 2 ] || usage
command=$1
directory=$2
shift 2
fsync=on
for option in "$@"; do
    case $option in
    --no-fsync) fsync=off ;;
    *) usage ;;
    esac
done

# Debian keeps the programs of each version in a folder of their own; the newest one is taken.
programs=
for candidate in /usr/lib/postgresql/*/bin; do
    if [ -x "$candidate/initdb" ]; then programs=$candidate; fi
done
if [ -z "$programs" ] && command -v initdb >/dev/null; then programs=$(dirname "$(command -v initdb)"); fi
[ -n "$programs" ] || complain "there is no PostgreSQL on this machine; apt install postgresql"

account=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
    account=nobody
    if id postgres >/dev/null 2>&1; then account=postgres; fi
fi

as_account() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u "$account" -- "$@"
    else
        "$@"
    fi
}

free_port() {
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

make_cluster() {
    mkdir -p "$directory"
    directory=$(cd "$directory" && pwd)
    if [ "$(id -u)" -eq 0 ]; then chown "$account" "$directory"; fi
    as_account test -x "$directory" ||
        complain "the user $account cannot reach $directory; choose a folder that others may enter"
    as_account "$programs/initdb" --pgdata="$directory/data" --username=folkmoot --auth=trust --encoding=UTF8 \
        --locale=C --no-instructions --no-sync >"$directory/initdb.log" 2>&1 ||
        complain "initdb failed; see $directory/initdb.log"
    # A unix socket's path has room for 107 characters: in a deeper folder there is none.
    socket=$directory
    if [ ${#directory} -gt 80 ]; then socket=; fi
    cat >>"$directory/data/postgresql.conf" <<CONFIGURATION
listen_addresses = '127.0.0.1'
unix_socket_directories = '$socket'
max_connections = 200
shared_buffers = 64MB
log_min_messages = warning
CONFIGURATION
    # Roles that tests make need their password; the owner does not.
    cat >"$directory/data/pg_hba.conf" <<ACCESS
local all all trust
host all folkmoot 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
ACCESS
}

# The free port may be taken by another before the server has it: then the next one is tried.
start_server() {
    attempt=0
    while [ $attempt -lt 5 ]; do
        port=$(free_port)
        if run_server "$port"; then
            return
        fi
        attempt=$((attempt + 1))
    done
    complain "the server did not start; see $directory/server.log"
}

run_server() {
    as_account "$programs/pg_ctl" start --pgdata="$directory/data" --log="$directory/server.log" --wait --silent \
        --options="-p $1 -c fsync=$fsync" >/dev/null 2>&1 </dev/null
}

stop_server() {
    as_account "$programs/pg_ctl" stop --pgdata="$directory/data" --mode=fast --wait --silent >/dev/null 2>&1 || true
}

is_running() {
    as_account "$programs/pg_ctl" status --pgdata="$directory/data" >/dev/null 2>&1
}

port_of() {
    as_account sed -n 4p "$directory/data/postmaster.pid"
}

print_url() {
    is_running || complain "no server runs in $directory"
    echo "postgres://folkmoot@127.0.0.1:$(port_of)/postgres"
}

require_cluster() {
    [ -d "$directory/data" ] || complain "there is no cluster in $directory; start one first"
    directory=$(cd "$directory" && pwd)
}

case $command in
start)
    if [ ! -d "$directory/data" ]; then make_cluster; fi
    require_cluster
    is_running || start_server
    print_url
    ;;
stop)
    require_cluster
    stop_server
    ;;
restart)
    require_cluster
    is_running || complain "no server runs in $directory"
    # The options of the running server are in its options file, so that address and fsync stay.
    as_account "$programs/pg_ctl" restart --pgdata="$directory/data" --log="$directory/server.log" --mode=fast --wait \
        --silent >/dev/null 2>&1 </dev/null || complain "the server did not start again; see $directory/server.log"
    print_url
    ;;
url)
    require_cluster
    print_url
    ;;
*) usage ;;
esac
