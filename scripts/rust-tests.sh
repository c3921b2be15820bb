#!/usr/bin/env bash
# Runs Rust's tests with cargo-nextest when it is there, and the same ones without it: neither way
# runs doc tests. Arguments choose packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

if have cargo-nextest; then
    cargo nextest run --no-fail-fast "$@"
else
    cargo test --no-fail-fast --lib --bins --tests "$@"
fi
