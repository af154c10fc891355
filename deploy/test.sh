#!/usr/bin/env bash
# Runs every test: with the real models, the whole catalogue and a real etcd. The log is target/test.log.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
log=target/test.log
mkdir -p target

"$cargo" build --locked --workspace
target/debug/silverback models pull
target/debug/silverback models pull qwen2.5-coder-0.5b
target/debug/silverback catalogue build

status=0
"$cargo" test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?

echo
echo "closing lines of the test runner (all of it: $log)"
grep -E '^ +(Running|Doc-tests)|^test result|^test .* FAILED|^error' "$log" || true
awk '/^test result/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "tests: %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$log"
exit "$status"
