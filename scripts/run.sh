#!/usr/bin/env bash
# Installs what the server needs, builds it and runs it. Arguments go to `exchequer serve`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh run
. scripts/environment.sh
cargo xtask site --release
exec cargo run --release --package server -- serve "$@"
