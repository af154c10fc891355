#!/usr/bin/env bash
# Runs every test: with the real models, the whole catalogue and a real etcd. The log is target/test.log.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
log=target/test.log
mkdir -p target

# Builds the binary too, with the same features as the tests: nothing is compiled twice.
"$cargo" test --locked --workspace --no-run
target/debug/silverback models pull
target/debug/silverback models pull qwen2.5-coder-0.5b
target/debug/silverback catalogue build

# Tests that need real parts skip themselves where these are not set: here they all run.
path_of() { # path_of FILE: where the cache keeps a file of the manifest
    target/debug/silverback models list --json |
        python3 -c 'import json, sys; print(next(row["path"] for row in json.load(sys.stdin) if row["file"] == sys.argv[1]))' "$1"
}
SILVERBACK_TEST_MODEL_1_5B=$(path_of qwen2.5-coder-1.5b-instruct-q4_k_m.gguf)
SILVERBACK_TEST_MODEL_0_5B=$(path_of qwen2.5-coder-0.5b-instruct-q4_k_m.gguf)
SILVERBACK_TEST_BOTOCORE=$(path_of botocore-1.44.5-py3-none-any.whl)
SILVERBACK_TEST_PACKS=$(dirname "$(dirname "$SILVERBACK_TEST_BOTOCORE")")/packs
SILVERBACK_TEST_VOCABULARY=$PWD/target/vocabulary.hex
python3 deploy/vocabulary.py "$SILVERBACK_TEST_MODEL_1_5B" > "$SILVERBACK_TEST_VOCABULARY"
export SILVERBACK_TEST_MODEL_1_5B SILVERBACK_TEST_MODEL_0_5B SILVERBACK_TEST_BOTOCORE
export SILVERBACK_TEST_PACKS SILVERBACK_TEST_VOCABULARY

SILVERBACK_TEST_MCP_SERVER=$(deploy/mcp_server.sh)
if [ -n "$SILVERBACK_TEST_MCP_SERVER" ]; then
    export SILVERBACK_TEST_MCP_SERVER
else
    unset SILVERBACK_TEST_MCP_SERVER
fi

status=0
"$cargo" test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?

echo
echo "closing lines of the test runner (all of it: $log)"
grep -E '^ +(Running|Doc-tests)|^test result|^test .* FAILED|^error' "$log" || true
awk '/^test result/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "tests: %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$log"
exit "$status"
