#!/usr/bin/env bash
# Builds what an installation needs: target/release/exchequer and target/site.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh run
. scripts/environment.sh
cargo xtask site --release
cargo build --release --package server
