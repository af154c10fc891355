#!/usr/bin/env python3
"""Walks `kubectl … --help` and writes data/kubectl.json: every leaf command with its usage, docs, examples and flags.

Usage: extract/kubectl.py [--kubectl PATH] > data/kubectl.json
Source: kubectl's own help texts (Apache-2.0). Needs no cluster: help is printed before anything is contacted.
"""
import argparse
import json
import re
import subprocess

FLAG = re.compile(r"^ {4}(?:-(?P<short>\w), )?--(?P<name>[\w-]+)=(?P<default>.*):$")
SECTIONS = ("Aliases:", "Examples:", "Options:", "Usage:", "Available Commands:")


def help_text(kubectl, words):
    return subprocess.run([kubectl, *words, "--help"], capture_output=True, text=True, check=True).stdout


def sections(text):
    """Splits a help text at its unindented headings; what comes before the first is `doc`."""
    parts, current = {"doc": []}, "doc"
    for line in text.splitlines():
        if re.match(r"^[A-Z][^\n]*:$", line) and (line in SECTIONS or line.endswith("Commands:") or "Commands (" in line):
            current = line.rstrip(":")
            parts[current] = []
        elif line.startswith('Use "kubectl') or line == "The following options can be passed to any command:":
            current = "tail"
            parts.setdefault(current, [])
        else:
            parts[current].append(line)
    return parts


def children(parts):
    names = []
    for title, lines in parts.items():
        if "Commands" in title and "provided by plugins" not in title:
            names += [m.group(1) for m in (re.match(r"^  ([a-z][\w-]*) +\S", line) for line in lines) if m]
    return names


def flag_type(default, doc):
    """The help shows a type only through its default value; durations end in a unit, lists are in brackets."""
    if default in ("true", "false"):
        return "boolean"
    if default.startswith("["):
        return "list"
    if re.fullmatch(r"-?\d+", default):
        return "integer"
    if re.fullmatch(r"(\d+(h|m|s|ms))+", default):
        return "duration"
    return "string"


def flags(lines):
    found = []
    for line in lines:
        match = FLAG.match(line)
        if match:
            default = match["default"].strip("'")
            found.append({"name": match["name"], "short": match["short"], "type": flag_type(default, ""), "default": default, "doc": ""})
        elif found and line.startswith("\t"):
            found[-1]["doc"] = (found[-1]["doc"] + " " + line.strip()).strip()
    for flag in found:
        # The maker's home directory is nobody's default.
        if flag["default"].startswith("/") and "cache" in flag["default"]:
            flag["default"] = "$HOME/.kube/cache"
        for key in ("short", "default"):
            if not flag[key]:
                del flag[key]
    return found


def examples(lines):
    """Pairs of a comment and the command lines under it."""
    found, title, command = [], [], []
    for line in [*lines, "  #"]:
        text = line.strip()
        if text.startswith("#"):
            if command:
                found.append({"title": " ".join(title), "command": "\n".join(command)})
                title, command = [], []
            title.append(text.lstrip("# "))
        elif text:
            command.append(text)
    return found


def names_of(words, parts):
    """What the last word of a command may be called."""
    listed = re.split(r",\s*", ", ".join(parts.get("Aliases", [])).strip(" ,"))
    return [words[-1], *(name for name in listed if name and name != words[-1])]


def leaf(words, paths, parts):
    doc = "\n".join(parts["doc"]).strip()
    usage = next((line.strip() for line in parts.get("Usage", []) if line.strip()), "")
    return {
        "name": " ".join(words),
        "usage": usage.removeprefix("kubectl "),
        "short": doc.split("\n")[0].strip(),
        "long": re.sub(r"\s+", " ", doc)[:600],
        "aliases": paths[1:],
        "examples": examples(parts.get("Examples", [])),
        "flags": flags(parts.get("Options", [])),
    }


def runs_itself(words, parts):
    """Does a command with subcommands also do something alone (`kubectl apply -f`, `kubectl cluster-info`)?"""
    if parts.get("Options"):
        return True
    return any(line.strip() == " ".join(["kubectl", *words]) for line in parts.get("Examples", []))


def walk(kubectl, words=(), paths=("",)):
    """Leaf commands under `words`; `paths` are all spellings of it, the canonical one first."""
    parts = sections(help_text(kubectl, words))
    subcommands = children(parts)
    found = []
    if words:
        paths = [f"{path} {name}".strip() for name in names_of(words, parts) for path in paths]
        if not subcommands or runs_itself(words, parts):
            found.append(leaf(words, paths, parts))
    for name in subcommands:
        found += walk(kubectl, [*words, name], paths)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubectl", default="kubectl")
    kubectl = parser.parse_args().kubectl
    options = subprocess.run([kubectl, "options"], capture_output=True, text=True, check=True).stdout
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    commands = walk(kubectl)
    print(json.dumps({
        "source": "kubectl --help " + re.search(r"v(\d+\.\d+)", version).group(1),
        "license": "Apache-2.0",
        "global_flags": flags(options.splitlines()),
        "commands": commands,
    }, indent=1, ensure_ascii=False))


main()
