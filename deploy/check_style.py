#!/usr/bin/env python3
"""Checks the rules of the house that neither rustc nor clippy checks. Prints every violation; exits 1 when there is one.

Lengths of functions, numbers of parameters and nesting are clippy's (clippy.toml). Needs only Python's own library.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

MAX_LINES = 500
MAX_FIELDS = 12

# Checked for length; data, generated code and prose are not.
CODE = {".rs", ".py", ".sh", ".proto"}
GENERATED = re.compile(r"(^|/)gen/")
FORBIDDEN_STEMS = {"util", "utils", "helper", "helpers", "manager", "common", "misc"}
VERSIONED = re.compile(r"_v\d+$")

# Who alone may name a library, in Cargo.toml and in code. deny.toml says the same of what cargo resolves.
OWNERS = {
    "etcd-client": "registry",
    "candle-core": "workers/engine",
    "candle-nn": "workers/engine",
    "candle-transformers": "workers/engine",
    "tokenizers": "workers/engine",
    "llguidance": "workers/decoding",
    "toktrie": "workers/decoding",
}

# Which of our crates a crate may use. Router and workers meet in proto and registry; the router's gate reads catalogues.
ALLOWED = {
    "proto": set(),
    "registry": {"proto"},
    "router/graph": {"proto"},
    "router/planner": {"proto", "graph"},
    "router/dispatch": {"proto", "registry", "graph"},
    "router/scaler": {"proto", "registry"},
    "router": {"proto", "registry", "graph", "planner", "dispatch", "catalogue"},
    "workers/engine": set(),
    "workers/catalogue": {"proto"},
    "workers/decoding": {"catalogue"},
    "workers": {"proto", "registry", "catalogue", "decoding", "engine"},
}
# A plan is a value: its crate does no I/O.
NO_IO = {"router/graph": {"tokio", "tokio-util", "tokio-stream", "reqwest", "tonic", "futures", "tempfile"}}

ENVIRONMENT = re.compile(r"\benv::(vars?|vars?_os|home_dir)\b|#\[arg\([^\]]*\benv\b")
FIELD = re.compile(r"^(?:pub(?:\([^)]*\))?\s+)?(?:r#)?[A-Za-z_]\w*\s*:(?!:)")


def listed_files(root):
    """Files that git tracks or would track."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in found.split("\0") if name and (root / name).is_file()})


def without_comments_and_strings(text):
    """Rust code with comments and literals blanked; line ends stay, so that line numbers hold."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\[^\n]{1,8}?|[^\'\\\n])\'',
        re.DOTALL,
    )
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def without_tests(code):
    """The code before its test module: tests stand last in a file."""
    start = re.search(r"^#\[cfg\((?:all\()?test\b", code, re.MULTILINE)
    return code[: start.start()] if start else code


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def struct_fields(code):
    """(line, name, number of fields) of every struct with named fields."""
    for found in re.finditer(r"\bstruct\s+(\w+)[^;{(]*\{", code):
        depth, brackets, start, fields = 1, 0, found.end(), []
        for position in range(found.end(), len(code)):
            char = code[position]
            depth += (char == "{") - (char == "}")
            brackets += (char in "(<[") - (char in ")]" or (char == ">" and code[position - 1] != "-"))
            if depth == 0 or (char == "," and depth == 1 and brackets == 0):
                fields.append(re.sub(r"#\[[^\]]*\]", "", code[start:position]).strip())
                start = position + 1
            if depth == 0:
                break
        yield line_of(code, found.start()), found.group(1), sum(bool(FIELD.match(field)) for field in fields)


def is_test_code(name):
    return re.search(r"(^|/)(tests|benches|examples|testing)(/|\.rs$)|(^|/)(tests|testing|build)\.rs$", name) is not None


def check_name(name):
    path = Path(name)
    for part in path.parts:
        stem = part.split(".")[0].lower()
        if stem in FORBIDDEN_STEMS or VERSIONED.search(stem):
            yield name, 0, f"the name {part!r} says nothing: name the responsibility"
    if path.name == "mod.rs":
        yield name, 0, f"write {path.parent.name}.rs beside {path.parent.name}/ instead of mod.rs"


def check_rust(name, text):
    code = without_comments_and_strings(text)
    for line, struct, count in struct_fields(code):
        if count > MAX_FIELDS:
            yield name, line, f"struct {struct} has {count} fields, at most {MAX_FIELDS}: group them"
    if not is_test_code(name) and Path(name).name != "config.rs":
        for found in ENVIRONMENT.finditer(without_tests(code)):
            yield name, line_of(code, found.start()), "only config.rs reads the environment"
    for library, owner in OWNERS.items():
        if name.startswith(owner + "/"):
            continue
        for found in re.finditer(rf"\b{library.replace('-', '_')}::", code):
            yield name, line_of(code, found.start()), f"only {owner} names {library}"
    if Path(name).name == "lib.rs":
        for found in re.finditer(r"^(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?(?:fn|impl|struct|enum)\b", code, re.MULTILINE):
            yield name, line_of(code, found.start()), "lib.rs holds docs, mod lines and pub use; move this to a module"
    for found in re.finditer(r"\bTODO\b(?![^\n]*\bissue\b)", text):
        yield name, line_of(text, found.start()), "a TODO names an issue or is not written"


def check_manifest(name, text):
    folder = str(Path(name).parent)
    manifest = tomllib.loads(text)
    named = set(manifest.get("dependencies", {})) | set(manifest.get("build-dependencies", {}))
    for target in manifest.get("target", {}).values():
        named |= set(target.get("dependencies", {}))
    for library, owner in OWNERS.items():
        if library in named | set(manifest.get("dev-dependencies", {})) and folder != owner:
            yield name, 0, f"only {owner} names {library}"
    for library in sorted(NO_IO.get(folder, set()) & named):
        yield name, 0, f"{folder} does no I/O: not {library}"
    if folder in ALLOWED:
        ours = {library.removeprefix("silverback-") for library in named if library.startswith("silverback-")}
        for other in sorted(ours - ALLOWED[folder]):
            yield name, 0, f"{folder} must not depend on {other}: dependencies point down (deploy/check_style.py, ALLOWED)"


def violations(root, names):
    for name in names:
        yield from check_name(name)
        path = root / name
        if path.name == "Cargo.toml":
            yield from check_manifest(name, path.read_text(encoding="utf-8"))
        if path.suffix not in CODE or GENERATED.search(name):
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > MAX_LINES:
            yield name, 0, f"{lines} lines, at most {MAX_LINES}: give each idea a file"
        if path.suffix == ".rs":
            yield from check_rust(name, text)


def main():
    root = Path(__file__).resolve().parent.parent
    names = listed_files(root)
    found = list(violations(root, names))
    for name, line, message in found:
        print(f"{name}:{line}: {message}" if line else f"{name}: {message}")
    print(f"style: {len(names)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
