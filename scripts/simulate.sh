#!/usr/bin/env bash
# simulate.sh [rules|books] FROM..TO: seeds of the simulators, as many as one likes. `rules` needs no
# database and does hundreds a second; `books` (the default) runs the gateway on a throw-away Postgres, each seed
# once with simulated chains and once with signers. Both show how far they are. A failing seed is shrunk and printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

layer=books
case ${1:-} in
    rules | books)
        layer=$1
        shift
        ;;
esac
seeds=${1:-}
[[ $seeds =~ ^[0-9]+\.\.[0-9]+$ ]] || die "usage: ./x simulate [rules|books] FROM..TO"
export EXCHEQUER_SIM_SEEDS=$seeds

if [ "$layer" = rules ]; then
    exec cargo test -p domain --release --test simulator -- --nocapture seeds_from_0
fi
exec scripts/with-db.sh cargo test -p gateway --test simulator -- --ignored --nocapture chosen_seeds
