#!/usr/bin/env bash
# chaos.sh [MINUTES | --runs N] [--cases A,B]: kills servers and Postgres under load, cuts connections, restores
# copies, sets clocks wrong, fills a disk, and compares what clients were told with what there is. Ends with a table in
# Markdown; exit code 1 when anything was lost or done twice. Everything is on this machine, in a cluster that is thrown
# away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

usage="usage: ./x chaos [MINUTES | --runs N] [--cases A,B]"
minutes='' runs='' cases=''
number() {
    case $1 in
        '' | *[!0-9]*) die "$usage" ;;
    esac
}
while [ $# -gt 0 ]; do
    case $1 in
        --runs)
            number "${2:-}"
            runs=$2
            shift 2
            ;;
        --cases)
            [ -n "${2:-}" ] || die "$usage"
            cases=$2
            shift 2
            ;;
        *)
            number "$1"
            minutes=$1
            shift
            ;;
    esac
done
[ -z "$minutes" ] || [ -z "$runs" ] || die "$usage"
[ -n "$(postgres_bin)" ] || die "no PostgreSQL server found: run './x setup'"

unset EXCHEQUER_CHAOS_MINUTES EXCHEQUER_CHAOS_RUNS EXCHEQUER_CHAOS_CASES
if [ -n "$runs" ]; then
    say "chaos, $runs times each case"
    export EXCHEQUER_CHAOS_RUNS=$runs
else
    minutes=${minutes:-10}
    say "chaos for $minutes minutes"
    export EXCHEQUER_CHAOS_MINUTES=$minutes
fi
[ -z "$cases" ] || export EXCHEQUER_CHAOS_CASES=$cases
run=(cargo test --release -p server --test chaos -- --nocapture)
# A disk that can be filled is mounted where nobody else sees it, and gone with the last process.
unset EXCHEQUER_CHAOS_OWN_MOUNTS
if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
    export EXCHEQUER_CHAOS_OWN_MOUNTS=1
    run=(unshare --mount "${run[@]}")
fi
exec "${run[@]}"
