#!/usr/bin/env bash
# Every test: Rust's with a throw-away Postgres, then the journeys in a browser. Ends with
# `N passed, N failed` over all of them. One build at a time: memory is the limit.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

scripts/setup.sh test || exit 1
. scripts/environment.sh
export CARGO_TERM_COLOR=never NO_COLOR=1
unset FORCE_COLOR

# These have to be there: without one, the tests that need it fail.
EXCHEQUER_REAL_NODES=$(required_nodes)
EXCHEQUER_BITCOIND=$(bitcoind_program)
export EXCHEQUER_REAL_NODES EXCHEQUER_BITCOIND
for node in ${all_nodes//,/ }; do
    case ,$EXCHEQUER_REAL_NODES, in
        *,"$node",*) ;;
        *) say "left out, as EXCHEQUER_REAL_NODES asks: the tests that need $node" ;;
    esac
done

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed_steps=()

step() {
    local name=$1 began=$SECONDS
    shift
    say "$name"
    if "$@" 2>&1 | tee "$logs/${name// /-}"; then
        say "$name: done in $((SECONDS - began)) s"
    else
        failed_steps+=("$name")
        say "$name: FAILED after $((SECONDS - began)) s"
        return 1
    fi
}

# Adds up the closing lines of cargo-nextest, cargo test and Playwright.
count() {
    awk '
        /^ *Summary \[/ || /^test result:/ || /^ +[0-9]+ (passed|failed|flaky|interrupted|did not run)/ {
            words = split($0, word, /[ ;,()]+/)
            for (i = 2; i <= words; i++) {
                if (word[i] == "passed") passed += word[i - 1]
                if (word[i] ~ /^(failed|timed|interrupted|did)$/) failed += word[i - 1]
            }
        }
        END { print passed + 0, failed + 0 }
    ' "$logs"/*
}

if step "bundle" cargo xtask site --release && step "compile" cargo build --tests --bins; then
    say "nodes of the chain tests: ${EXCHEQUER_REAL_NODES:-none}"
    step "Rust tests" scripts/with-db.sh scripts/rust-tests.sh
    step "xtask tests" scripts/rust-tests.sh --package xtask
    step "browser tests" scripts/e2e.sh
fi

read -r passed failed < <(count)
if [ ${#failed_steps[@]} -gt 0 ]; then
    # A step that failed without naming a test did not compile, start or finish.
    [ "$failed" -gt 0 ] || failed=${#failed_steps[@]}
    printf 'failed: %s\n' "${failed_steps[*]}"
fi
printf '%s passed, %s failed\n' "$passed" "$failed" | tee "${EXCHEQUER_TEST_SUMMARY:-/dev/null}"
[ ${#failed_steps[@]} -eq 0 ]
