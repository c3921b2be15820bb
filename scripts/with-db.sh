#!/usr/bin/env bash
# with-db.sh COMMAND [arguments]: runs the command with DATABASE_URL set to a Postgres of its own,
# which is thrown away afterwards. It does not survive a power cut (fsync is off): tests only.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

[ $# -gt 0 ] || die "usage: with-db.sh COMMAND [arguments]"
bin=$(postgres_bin)
[ -n "$bin" ] || die "no PostgreSQL server found: run './x setup'"

# Postgres refuses to run as root.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
    as_owner=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
fi

# Short, because a socket's path is; and open to pass through, because the owner may not be us.
scratch=$(mktemp -d /tmp/exchequer-db.XXXXXX)
chmod 711 "$scratch"
mkdir -m 700 "$scratch/data"
[ ${#as_owner[@]} -eq 0 ] || chown "$owner" "$scratch/data"

# Outside our folder, which the owner may not enter. The output goes to a file: the server would
# keep a pipe open.
pg() {
    local program=$1
    shift
    (cd / && exec env -u PGDATA -u PGPORT -u PGHOST LC_ALL=C \
        "${as_owner[@]}" "$bin/$program" "$@" </dev/null >>"$scratch/log" 2>&1)
}

stop() {
    pg pg_ctl stop -D "$scratch/data" -m immediate -w -s || true
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed() {
    tail -n 20 "$scratch/log" >&2
    die "the test database did not start"
}
pg initdb -D "$scratch/data" -U exchequer --auth=trust --encoding=UTF8 --locale=C --no-sync || failed
# One line each; no value needs quoting.
settings="-p 5432 -c listen_addresses= -c unix_socket_directories=$scratch/data
 -c fsync=off -c synchronous_commit=off -c full_page_writes=off
 -c max_connections=300 -c shared_buffers=256MB -c max_wal_size=2GB"
pg pg_ctl start -D "$scratch/data" -w -s -t 60 -o "${settings//$'\n'/}" || failed

address="?host=${scratch//\//%2F}%2Fdata&sslmode=disable"
export DATABASE_URL="postgres://exchequer@localhost:5432/postgres$address"
# What new databases are copies of.
export TEMPLATE_URL="postgres://exchequer@localhost:5432/template1$address"
"$@"
