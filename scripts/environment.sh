# Where the tools are. Sourced by the other scripts from the root of the checkout.
# shellcheck shell=bash disable=SC2034

have() { command -v "$1" >/dev/null 2>&1; }
say() { printf '== %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "root is needed for: $*"
    fi
}

# Before packages are installed: a new system has no lists of them, or old ones.
apt_prepare() {
    have apt-get || die "please install first (names of Debian's packages): $*"
    say "installing $*"
    as_root apt-get update -q >&2
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" >&2
}

# Things that are installed for this project only live outside the checkout.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/exchequer
private_node=$cache/node/node_modules/node/bin
webhook_venv=$cache/webhook-verifier

# The sources of bitcoind are those of a crate (scripts/nodes.sh). Debian's libraries are linked, so a
# build is good for one release of one system. EXCHEQUER_BITCOIND names another one.
bitcoind_version=0.2.0
bitcoind_program() {
    local system
    # shellcheck source=/dev/null
    system=$( (. /etc/os-release && echo "$ID-${VERSION_ID:-rolling}") 2>/dev/null || uname -s)
    echo "${EXCHEQUER_BITCOIND:-$cache/bitcoind/$bitcoind_version-$system-$(uname -m)/bitcoind}"
}

runs() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1; }

# Python with the modules of Electrum, a wallet that others wrote. They are Debian's, so they are those of
# its own Python, whichever comes first in PATH. EXCHEQUER_ELECTRUM_PYTHON names another one.
electrum_python() { echo "${EXCHEQUER_ELECTRUM_PYTHON:-/usr/bin/python3}"; }

# The programs of others that the tests need: all, unless whoever runs them names fewer. An empty list
# is one, too.
all_nodes=bitcoind,litecoind,anvil,electrum
required_nodes() {
    local list=${EXCHEQUER_REAL_NODES-$all_nodes}
    echo "${list// /}"
}

# Playwright asks for it.
node_major_min=20
node_major() { node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p'; }
node_is_recent() { [ "$(node_major || true)" ] && [ "$(node_major)" -ge "$node_major_min" ]; }

# The newest of Debian's versions, else the one in PATH: the order the server uses too.
postgres_bin() {
    local dir
    for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t / -k 5 -rn); do
        if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then
            echo "$dir"
            return
        fi
    done
    if have initdb && have pg_ctl; then
        dirname "$(readlink -f "$(command -v initdb)")"
    fi
}

find_chromium() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && have "$name"; then
            command -v "$name"
            return
        fi
    done
}

# rustup's installer may not have reached this shell's PATH yet.
cargo_bin=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
if ! have cargo && [ -d "$cargo_bin" ]; then
    PATH=$cargo_bin:$PATH
fi
if ! node_is_recent && [ -x "$private_node/node" ]; then
    PATH=$private_node:$PATH
fi
export PATH
