#!/usr/bin/env bash
# Runs every test: with the real models, the whole catalogue and a real etcd. The log is target/test.log.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
log=target/test.log
mkdir -p target

# Builds the binary too, with the same features as the tests: nothing is compiled twice.
"$cargo" test --locked --workspace --no-run
silverback=target/debug/silverback
. deploy/parts.sh

SILVERBACK_TEST_MCP_SERVER=$(deploy/mcp_server.sh)
if [ -n "$SILVERBACK_TEST_MCP_SERVER" ]; then
    export SILVERBACK_TEST_MCP_SERVER
else
    unset SILVERBACK_TEST_MCP_SERVER
fi

SILVERBACK_TEST_OPENAI_PYTHON=$(deploy/openai_client.sh)
if [ -n "$SILVERBACK_TEST_OPENAI_PYTHON" ]; then
    export SILVERBACK_TEST_OPENAI_PYTHON
else
    unset SILVERBACK_TEST_OPENAI_PYTHON
fi

status=0
"$cargo" test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?

echo
echo "closing lines of the test runner (all of it: $log)"
grep -E '^ +(Running|Doc-tests)|^test result|^test .* FAILED|^error' "$log" || true
awk '/^test result/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "tests: %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$log"
exit "$status"
