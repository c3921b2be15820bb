#!/usr/bin/env bash
# The journeys in a real browser, against the server of the dev profile and the release bundle
# (page weight is tested too). Arguments go to Playwright. The server under test uses its own
# private Postgres, as a new installation would.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

target=${CARGO_TARGET_DIR:-target}
cargo xtask site --release
# With the tests, although none runs here: the same selection gives the same features, and
# nothing is compiled twice.
cargo build --tests --bins

unset DATABASE_URL
export EXCHEQUER_BIN=${EXCHEQUER_BIN:-$(readlink -f "$target/debug/exchequer")}
export EXCHEQUER_SITE_ROOT=$PWD/target/site
CHROMIUM=$(find_chromium)
export CHROMIUM
if [ -x "$webhook_venv/bin/python" ]; then
    export EXCHEQUER_WEBHOOK_PYTHON=${EXCHEQUER_WEBHOOK_PYTHON:-$webhook_venv/bin/python}
fi
cd end2end
npx --no-install playwright test "$@"
