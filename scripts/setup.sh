#!/usr/bin/env bash
# Installs what is missing and nothing else, so that it may run before every command:
# `setup.sh run` for the server, `setup.sh test` (the default) for the tests as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

scope=${1:-test}
case $scope in run | test) ;; *) die "setup knows 'run' and 'test', not '$scope'" ;; esac
wasm_target=wasm32-unknown-unknown

missing_packages() {
    [ -n "$(postgres_bin)" ] || echo postgresql
    [ "$scope" = test ] || return 0
    [ -n "$(find_chromium)" ] || echo chromium
    have zbarimg || echo zbar-tools
    have pdftotext || echo poppler-utils
    have pkg-config || echo pkg-config
    have node || echo nodejs
    have npm || echo npm
    python3 -c 'import venv, ensurepip' 2>/dev/null || printf '%s\n' python3 python3-venv
}

# The server has its own cluster, so a new installation needs none of Debian's on port 5432.
without_main_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    apt_install postgresql-common
    as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$conf"
}

# Ubuntu's `chromium` is not a Debian package; what it has comes through snap.
chromium_package() {
    case $(apt-cache policy chromium) in
        *"Candidate: "[0-9]*) echo chromium ;;
        *) echo chromium-browser ;;
    esac
}

setup_packages() {
    local packages at
    mapfile -t packages < <(missing_packages)
    [ ${#packages[@]} -gt 0 ] || return 0
    apt_prepare "${packages[@]}"
    for at in "${!packages[@]}"; do
        case ${packages[at]} in
            postgresql) without_main_cluster ;;
            chromium) packages[at]=$(chromium_package) ;;
        esac
    done
    apt_install "${packages[@]}"
    [ -n "$(postgres_bin)" ] || die "no PostgreSQL server found after installing it"
    if [ "$scope" = test ] && [ -z "$(find_chromium)" ]; then
        die "no Chromium found: install Chromium or Chrome and name its program in CHROMIUM"
    fi
}

rust_version() { rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p'; }

rust_is_recent() {
    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rust_version)
    [ -n "$found" ] && [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" = "$needed" ]
}

# The toolchain is not pinned by a file: rustup would download a second copy of one that fits.
setup_rust() {
    if ! rust_is_recent; then
        have rustup || die "Rust is missing or too old: install rustup from https://rustup.rs"
        say "installing the stable Rust toolchain"
        rustup toolchain install stable --profile minimal --no-self-update
        [ -n "$(rust_version)" ] || rustup default stable
        rust_is_recent || die "the active Rust $(rust_version) is too old: run 'rustup default stable'"
    fi
    if ! [ -d "$(rustc --print target-libdir --target "$wasm_target")" ]; then
        have rustup || die "the Rust target $wasm_target is missing"
        rustup target add "$wasm_target"
    fi
    [ "$scope" = test ] || return 0
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
}

# Debian 12 and Ubuntu 24.04 ship a Node older than Playwright takes: npm brings a newer one,
# kept beside the system's.
setup_node() {
    node_is_recent && return 0
    say "installing Node 22 in $cache/node"
    mkdir -p "$cache/node"
    npm install --prefix "$cache/node" --no-audit --no-fund --loglevel=error node@22
    PATH=$private_node:$PATH
    node_is_recent || die "Node $node_major_min or newer is needed: install it and run again"
}

setup_browser_tests() {
    local installed=end2end/node_modules/.package-lock.json
    if [ -e "$installed" ] && [ ! end2end/package-lock.json -nt "$installed" ]; then
        return 0
    fi
    say "installing the browser tests' packages"
    (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error)
}

# A verifier of webhook signatures that somebody else wrote.
setup_webhook_verifier() {
    "$webhook_venv/bin/python" -c 'import standardwebhooks' 2>/dev/null && return 0
    say "installing the webhook verifier in $webhook_venv"
    python3 -m venv --clear "$webhook_venv"
    "$webhook_venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        standardwebhooks==1.1.0
}

# The chain tests' nodes.
setup_nodes() {
    local -a nodes
    mapfile -t nodes < <(required_nodes | tr , '\n' | sed '/^$/d')
    [ ${#nodes[@]} -gt 0 ] || return 0
    scripts/nodes.sh "${nodes[@]}" >/dev/null
}

setup_packages
setup_rust
if [ "$scope" = test ]; then
    setup_node
    setup_browser_tests
    setup_webhook_verifier
    setup_nodes
fi
