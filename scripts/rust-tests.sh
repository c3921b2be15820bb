#!/usr/bin/env bash
# Runs Rust's tests with cargo-nextest when it is there, and the same ones without it: neither way
# runs doc tests. Arguments choose packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

# Each of many hundred tests has a database of its own, which begins as a copy of template1: with the schema
# there it is made once.
if [ -n "${TEMPLATE_URL:-}" ]; then
    cargo build --tests --bins
    DATABASE_URL=$TEMPLATE_URL "${CARGO_TARGET_DIR:-target}/debug/exchequer" migrate
fi

if have cargo-nextest; then
    # More than there are processors: many tests wait for nodes, for limits of time, for a disk.
    cargo nextest run --no-fail-fast --test-threads $(($(nproc) * 3 / 2)) "$@"
else
    cargo test --no-fail-fast --lib --bins --tests "$@"
fi
