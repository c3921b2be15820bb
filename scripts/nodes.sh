#!/usr/bin/env bash
# Installs the nodes the chain tests talk to and prints their programs' paths, one a line, in the order
# of the arguments: any of `bitcoind`, `litecoind`, `anvil` and `electrum`, or all without an argument.
# Does nothing when they are there, and fails when it cannot get one. Electrum is a wallet, not a node:
# of it the path of a Python that has its modules is printed.
#
# No package has a bitcoind. A crate has the sources of the consensus library and, around it, all of
# the node but its wallet: they are built once and kept. It is a snapshot between two releases, good
# for tests and for nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

crate=libbitcoinkernel-sys
crate_sha256=35576852961d85614bb5dd3f8a3283b2c4b4310d9dc306f07b4b0b6a6b039eeb
build_seconds_max=${EXCHEQUER_NODE_BUILD_SECONDS:-2700}
progress_percent=5

bitcoind=$(bitcoind_program)

missing_packages() {
    local package
    for package in cmake g++ libboost-dev libevent-dev libzmq3-dev pkg-config; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' ||
            echo "$package"
    done
}

# The sources, into $1: cargo checks them against its index, we against what was reviewed.
fetch_sources() {
    local scratch=$1
    mkdir -p "$scratch/crate/src"
    : >"$scratch/crate/src/lib.rs"
    cat >"$scratch/crate/Cargo.toml" <<TOML
[package]
name = "node-sources"
version = "0.0.0"
edition = "2024"

[dependencies]
$crate = "=$bitcoind_version"

[workspace]
TOML
    (cd "$scratch/crate" && cargo vendor --quiet vendor >/dev/null)
    grep -q "\"package\":\"$crate_sha256\"" "$scratch/crate/vendor/$crate/.cargo-checksum.json" ||
        die "$crate $bitcoind_version is not the one that was reviewed"
    cp -r "$scratch/crate/vendor/$crate/bitcoin" "$scratch/core"
    # The start of the program names a class of the one folder the crate leaves out.
    mkdir -p "$scratch/core/src/ipc"
    cat >"$scratch/core/src/ipc/exception.h" <<'HEADER'
#pragma once
#include <stdexcept>
namespace ipc { class Exception : public std::runtime_error { public: using std::runtime_error::runtime_error; }; }
HEADER
}

# Of the output of a long build only how far it is.
show_progress() {
    local line percent next=0 pattern='^\[ *([0-9]+)%\]'
    while IFS= read -r line; do
        [[ $line =~ $pattern ]] || continue
        percent=${BASH_REMATCH[1]}
        if [ "$percent" -ge "$next" ]; then
            say "bitcoind: $percent % is built"
            next=$((percent - percent % progress_percent + progress_percent))
        fi
    done
}

# In its own process, so that one limit of time holds for all of it.
build() {
    local scratch=$1 off
    local -a flags=()
    for off in BUILD_BITCOIN_BIN BUILD_TX BUILD_UTIL BUILD_WALLET_TOOL BUILD_TESTS BUILD_BENCH \
        BUILD_FUZZ_BINARY BUILD_KERNEL_LIB BUILD_CLI ENABLE_WALLET ENABLE_EXTERNAL_SIGNER \
        ENABLE_IPC WITH_CCACHE INSTALL_MAN; do
        flags+=("-D$off=OFF")
    done
    cmake -S "$scratch/core" -B "$scratch/build" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DBUILD_DAEMON=ON -DWITH_ZMQ=ON "${flags[@]}"
    cmake --build "$scratch/build" --target bitcoind --parallel "$(nproc)"
}

build_bitcoind() {
    local scratch log=$cache/bitcoind/build.log program began=$SECONDS
    # The one of an earlier run that was killed is of no use.
    rm -rf "$cache"/bitcoind/scratch.*
    scratch=$(mktemp -d "$cache/bitcoind/scratch.XXXXXX")
    say "building bitcoind in $scratch: 5 to 15 minutes, once per machine"
    fetch_sources "$scratch"
    export -f build
    # The inner shell expands its own argument.
    # shellcheck disable=SC2016
    if ! timeout --kill-after=10 "$build_seconds_max" \
        bash -euo pipefail -c 'build "$1"' build "$scratch" 2>&1 </dev/null |
        tee "$log" | show_progress; then
        tail -n 40 "$log" >&2
        die "bitcoind could not be built within $build_seconds_max s; all of the output is in $log"
    fi
    program=$(find "$scratch/build" -type f -name bitcoind -perm -u+x | head -n 1)
    [ -n "$program" ] || die "the build left no bitcoind; its output is in $log"
    mkdir -p "$(dirname "$bitcoind")"
    strip -o "$bitcoind.new" "$program"
    mv "$bitcoind.new" "$bitcoind"
    rm -rf "$scratch"
    say "bitcoind is built, in $((SECONDS - began)) s"
}

setup_bitcoind() {
    local -a packages
    if [ -n "${EXCHEQUER_BITCOIND:-}" ]; then
        runs "$bitcoind" || die "EXCHEQUER_BITCOIND names $bitcoind, which does not run"
    elif ! runs "$bitcoind"; then
        mkdir -p "$cache/bitcoind"
        # Another run may be building it: wait, and find it there.
        exec 9>"$cache/bitcoind/lock"
        flock 9
        mapfile -t packages < <(missing_packages)
        if [ ${#packages[@]} -gt 0 ]; then
            apt_prepare "${packages[@]}"
            apt_install "${packages[@]}"
        fi
        runs "$bitcoind" || build_bitcoind
        runs "$bitcoind" || die "the bitcoind that was built does not run"
        exec 9>&-
    fi
    echo "$bitcoind"
}

setup_litecoind() {
    local program=${EXCHEQUER_LITECOIND:-litecoind}
    if ! have "$program"; then
        [ "$program" = litecoind ] || die "EXCHEQUER_LITECOIND names $program, which is not there"
        apt_prepare litecoind
        apt_install litecoind
    fi
    program=$(command -v "$program")
    runs "$program" || die "$program does not run"
    echo "$program"
}

setup_electrum() {
    local python
    python=$(electrum_python)
    if ! "$python" -c 'import electrum' 2>/dev/null; then
        [ -z "${EXCHEQUER_ELECTRUM_PYTHON:-}" ] ||
            die "EXCHEQUER_ELECTRUM_PYTHON names $python, which has no modules of Electrum"
        apt_prepare electrum
        apt_install electrum
    fi
    "$python" -c 'import electrum' || die "$python has no modules of Electrum"
    echo "$python"
}

if [ $# -eq 0 ]; then
    IFS=, read -ra nodes <<<"$all_nodes"
    set -- "${nodes[@]}"
fi
for node in "$@"; do
    case $node in
        bitcoind) setup_bitcoind ;;
        litecoind) setup_litecoind ;;
        anvil) scripts/anvil.sh ;;
        electrum) setup_electrum ;;
        *) die "nodes.sh knows ${all_nodes//,/, }, not '$node'" ;;
    esac
done
