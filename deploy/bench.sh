#!/usr/bin/env bash
# Measures on this machine, in one run: the parts first, then whole requests on the real models. The log is target/bench.log.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
silverback=target/release/silverback
mkdir -p target
"$cargo" build --release --locked -p silverback-cli
# Compiled before anything is measured: a compiler beside a bench is not a measurement.
"$cargo" bench --locked --workspace --bench '*' --no-run
. deploy/parts.sh

bench() { # bench CRATE BENCH [ARGUMENT…]
    local crate=$1 name=$2
    shift 2
    printf '\n=== %s: %s ===\n' "$crate" "$name"
    # The whole workspace, as compiled above: one crate alone would be compiled again, with fewer features.
    "$cargo" bench --quiet --locked --workspace --bench "$name" -- "$@"
}

{
    date -u '+%Y-%m-%d %H:%M UTC'
    echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo)"
    bench silverback-registry snapshot
    bench silverback-router overhead
    bench silverback-catalogue search "$SILVERBACK_TEST_PACKS"
    bench silverback-engine decode "$SILVERBACK_TEST_MODEL_1_5B" --stock
    bench silverback-engine decode "$SILVERBACK_TEST_MODEL_0_5B" --stock
    bench silverback-tests requests "$@"
} 2>&1 | tee target/bench.log
