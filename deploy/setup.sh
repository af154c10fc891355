#!/usr/bin/env bash
# Makes sure that everything which building and testing need is here. May be run any number of times.
set -euo pipefail

missing=()   # what is not here, for people
packages=()  # the Debian packages that bring it

need() { # need WHAT PACKAGE COMMAND…: COMMAND succeeds when WHAT is here
    local what=$1 package=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        missing+=("$what")
        packages+=("$package")
    fi
}

has() { command -v "$1"; }

# etcd-client compiles the vendor's .proto files, which import Google's.
has_google_protos() {
    local include
    for include in /usr/include /usr/local/include "$(dirname "$(dirname "$(command -v protoc)")")/include" "${PROTOC_INCLUDE:-}"; do
        [ -f "$include/google/protobuf/descriptor.proto" ] && return 0
    done
    return 1
}

if ! has cargo >/dev/null; then
    echo "error: cargo is not here" >&2
    echo "hint: install Rust 1.95 or newer with rustup" >&2
    exit 1
fi

for component in rustfmt clippy; do
    if ! cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
        echo "setup: adding $component"
        rustup component add "$component"
    fi
done

need "a C compiler" build-essential has cc
need "a C++ compiler" build-essential has c++
need protoc protobuf-compiler has protoc
need "Google's .proto files" libprotobuf-dev has_google_protos
need etcd etcd-server has etcd
need etcdctl etcd-client has etcdctl
need python3 python3 has python3
need "pip for python3" python3-pip python3 -m pip --version

if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: everything is here"
    exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
    root=(sudo -n)
fi
if ! has apt-get >/dev/null || { [ ${#root[@]} -gt 0 ] && ! "${root[@]}" true 2>/dev/null; }; then
    printf 'error: not here: %s\n' "$(printf '%s, ' "${missing[@]}" | sed 's/, $//')" >&2
    echo "hint: install them and run this again; Debian's packages are ${packages[*]}" >&2
    exit 1
fi
echo "setup: installing ${packages[*]}"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
# Debian starts an etcd with the package; ours are started by the tests on ports of their own.
if has systemctl >/dev/null && systemctl is-active --quiet etcd 2>/dev/null; then
    "${root[@]}" systemctl disable --now etcd >/dev/null 2>&1 || true
fi
echo "setup: done"
