#!/usr/bin/env bash
# Installs anvil, a local EVM node, and the token the tests put on it; prints the program's path.
# Does nothing when both are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

anvil_version=1.7.1
contracts_version=4.9.6
home=$cache/anvil
modules=$home/node_modules
token=$modules/@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json

version_of() { sed -n 's/^ *"version": "\(.*\)",\{0,1\}$/\1/p' "$modules/$1/package.json" 2>/dev/null || true; }

# The program of this machine's kind: npm leaves the other packages out.
program() {
    local file
    for file in "$modules"/@foundry-rs/anvil-*/bin/anvil; do
        if [ -x "$file" ]; then
            echo "$file"
            return
        fi
    done
}

is_installed() {
    [ "$(version_of @foundry-rs/anvil)" = "$anvil_version" ] &&
        [ "$(version_of @openzeppelin/contracts)" = "$contracts_version" ] &&
        [ -e "$token" ] && [ -n "$(program)" ]
}

if ! is_installed; then
    have npm || die "npm is missing: run './x setup'"
    say "installing anvil $anvil_version in $home"
    mkdir -p "$home"
    # Scripts of packages are not needed: the program is in the package.
    npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --loglevel=error \
        "@foundry-rs/anvil@$anvil_version" "@openzeppelin/contracts@$contracts_version" >&2
    is_installed || die "npm installed no program of anvil for $(uname -sm)"
fi
program
