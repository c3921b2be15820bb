#!/usr/bin/env bash
# chaos.sh [MINUTES]: kills servers and Postgres under load, cuts connections, restores copies, fills a
# disk, and compares what clients were told with what there is. Ends with a table in Markdown; exit code 1 when
# anything was lost or done twice. Everything is on this machine, in a cluster that is thrown away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

minutes=${1:-10}
case $minutes in
    '' | *[!0-9]*) die "usage: ./x chaos [MINUTES]" ;;
esac
[ -n "$(postgres_bin)" ] || die "no PostgreSQL server found: run './x setup'"

say "chaos for $minutes minutes"
export EXCHEQUER_CHAOS_MINUTES=$minutes
run=(cargo test --release -p server --test chaos -- --nocapture)
# A disk that can be filled is mounted where nobody else sees it, and gone with the last process.
unset EXCHEQUER_CHAOS_OWN_MOUNTS
if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
    export EXCHEQUER_CHAOS_OWN_MOUNTS=1
    run=(unshare --mount "${run[@]}")
fi
exec "${run[@]}"
