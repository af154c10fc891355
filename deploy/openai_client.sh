#!/usr/bin/env bash
# Installs OpenAI's Python client for the tests into target/openai and prints its Python; prints nothing when it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=target/openai
python=$folder/bin/python
if ! "$python" -c 'import openai' >/dev/null 2>&1; then
    python3 -m venv "$folder" >/dev/null 2>&1 || exit 0
    "$folder/bin/pip" install --quiet openai==3.57.0 >/dev/null 2>&1 || exit 0
fi
echo "$PWD/$python"
