# Sourced by test.sh and bench.sh: where the cache of the built binary keeps the models, descriptions and packs.
# Needs $silverback, the binary; exports SILVERBACK_TEST_*, without which tests and benches that need real parts skip themselves.

"$silverback" models pull
"$silverback" models pull qwen2.5-coder-0.5b
"$silverback" catalogue build

path_of() { # path_of FILE: where the cache keeps a file of the manifest
    "$silverback" models list --json |
        python3 -c 'import json, sys; print(next(row["path"] for row in json.load(sys.stdin) if row["file"] == sys.argv[1]))' "$1"
}
SILVERBACK_TEST_MODEL_1_5B=$(path_of qwen2.5-coder-1.5b-instruct-q4_k_m.gguf)
SILVERBACK_TEST_MODEL_0_5B=$(path_of qwen2.5-coder-0.5b-instruct-q4_k_m.gguf)
SILVERBACK_TEST_BOTOCORE=$(path_of botocore-1.44.5-py3-none-any.whl)
SILVERBACK_TEST_PACKS=$(dirname "$(dirname "$SILVERBACK_TEST_BOTOCORE")")/packs
SILVERBACK_TEST_EMBEDDER=$(dirname "$SILVERBACK_TEST_PACKS")/models/all-minilm-l6-v2
SILVERBACK_TEST_VOCABULARY=$PWD/target/vocabulary.hex
python3 deploy/vocabulary.py "$SILVERBACK_TEST_MODEL_1_5B" > "$SILVERBACK_TEST_VOCABULARY"
export SILVERBACK_TEST_MODEL_1_5B SILVERBACK_TEST_MODEL_0_5B SILVERBACK_TEST_BOTOCORE
export SILVERBACK_TEST_EMBEDDER SILVERBACK_TEST_PACKS SILVERBACK_TEST_VOCABULARY
