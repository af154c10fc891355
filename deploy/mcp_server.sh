#!/usr/bin/env bash
# Installs a real MCP server for the tests into target/mcp and prints its path; prints nothing when it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=target/mcp
server=$folder/bin/mcp-server-git
if [ ! -x "$server" ]; then
    python3 -m venv "$folder" >/dev/null 2>&1 || exit 0
    "$folder/bin/pip" install --quiet mcp-server-git==2026.10.19 >/dev/null 2>&1 || exit 0
fi
echo "$PWD/$server"
