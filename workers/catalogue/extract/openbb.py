#!/usr/bin/env python3
"""Flattens OpenBB's reference.json into data/openbb.json: one line a path, parameters of all data sources merged.

Usage: extract/openbb.py reference.json > data/openbb.json
Source: what `openbb-build` writes for openbb-core 2 and the 2.0 extensions (Apache-2.0; openbb 4 is AGPL and not used).
"""
import json
import re
import sys

PLAIN = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "date": "date", "datetime": "date", "dict": "object"}


def split_union(text):
    """Splits `a | list[b | c]` at the bars outside brackets."""
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char == "[") - (char == "]")
        if char == "|" and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return parts + [current.strip()]


def type_of(text):
    """One name for a Python annotation: `date | None | str` is a date, `str | list[str]` is strings."""
    parts = [part for part in split_union(text) if part != "None"]
    lists = [part for part in parts if part.startswith("list")]
    if "Data" in parts or "DataFrame" in parts:
        return "rows"
    if "date" in parts or "datetime" in parts:
        return "dates" if lists else "date"
    if lists:
        inner = re.sub(r"^list\[|\]$", "", lists[0])
        return "strings" if inner.startswith(("str", "Literal")) else "objects"
    return next((PLAIN[part.split("[")[0]] for part in parts if part.split("[")[0] in PLAIN), "object")


def choices_of(parameter):
    literal = re.search(r"Literal\[(.*?)\]", parameter["type"])
    named = re.findall(r"'([^']*)'", literal.group(1)) if literal else []
    return [c for c in (parameter.get("choices") or named) if c is not None]


def several(parameter):
    extra = parameter.get("json_schema_extra") or {}
    return any(isinstance(v, dict) and v.get("multiple_items_allowed") for v in extra.values())


def text(words, limit):
    return re.sub(r"\s+", " ", words or "").strip()[:limit]


def parameters(groups):
    """Merges the standard parameters with those of the data sources; the source's default and choices win."""
    found = {}
    for group in groups.values():
        for parameter in group:
            entry = found.setdefault(parameter["name"], {"name": parameter["name"], "type": type_of(parameter["type"])})
            entry["doc"] = entry.get("doc") or text(parameter["description"], 160)
            if not parameter["optional"]:
                entry["required"] = True
            if parameter["default"] is not None:
                entry["default"] = parameter["default"]
            if choices := choices_of(parameter):
                entry["choices"] = choices
            if several(parameter):
                entry["several"] = True
    return list(found.values())


def columns(groups):
    found = {}
    for group in groups.values():
        for column in group if isinstance(group, list) else []:
            found.setdefault(column["name"], type_of(column["type"]))
    return found


def main():
    reference = json.load(open(sys.argv[1], encoding="utf-8"))
    head = {
        "source": f"OpenBB reference.json, openbb-core {reference['info']['core']}",
        "license": "Apache-2.0",
        "groups": {name.strip("/"): router["description"] for name, router in reference["routers"].items()},
    }
    paths = []
    for path, entry in reference["paths"].items():
        paths.append({
            "path": path.strip("/"), "doc": text(entry["description"], 300),
            "parameters": parameters(entry["parameters"]), "columns": columns(entry["data"]),
        })
    lines = ",\n".join(json.dumps(p, ensure_ascii=False, separators=(",", ":")) for p in paths)
    print(json.dumps(head, ensure_ascii=False)[:-1] + ',\n"paths": [\n' + lines + "\n]}")


main()
