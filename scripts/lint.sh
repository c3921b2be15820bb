#!/usr/bin/env bash
# Formatting and lints; every warning is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

cargo fmt --all --check
cargo clippy --all-targets -- -D warnings
cargo clippy --package xtask --all-targets -- -D warnings
# Alone and for its own target: `hydrate` must never meet the server's `ssr`.
cargo clippy --package frontend --target wasm32-unknown-unknown -- -D warnings
if have cargo-deny; then
    cargo deny check
fi
say "lint passed"
