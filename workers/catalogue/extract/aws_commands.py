#!/usr/bin/env python3
"""Writes data/aws_commands.json: the commands of the AWS command line that are no API operation.

Usage: pip install awscli==1.46.3; extract/aws_commands.py > data/aws_commands.json
Source: awscli's own command tables (Apache-2.0), read in process; nothing is contacted. Left out: `configure`, `history` and
`credential-helper` (they are about the programs themselves), `wait` (the waiters are among each operation's semantics), and commands that only give an API
operation another front (`ssm start-session`).
"""
import json
import os
import re
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
import awscli  # noqa: E402
import awscli.clidriver  # noqa: E402
from awscli.customizations.commands import BasicCommand  # noqa: E402

SKIPPED = {"wait", "configure", "history", "credential-helper"}
KINDS = {"boolean": "boolean", "integer": "integer", "long": "integer", "float": "number", "double": "number"}


def plain(text, limit):
    text = re.sub(r"^\s*\*\*[^*]+\*\*:?", "", re.sub(r"<[^>]+>", "", text or ""))
    text = re.sub(r"``?([^`]*)``?", r"\1", re.sub(r":\w+:", "", text)).replace("\\", "")
    text = re.sub(r"\s+", " ", text).strip()
    first = re.split(r"(?<=[a-z)\]])\. (?=[A-Z])", text)[0].rstrip(".")
    return first if len(first) <= limit else first[: limit - 1].rsplit(" ", 1)[0] + "…"


def schema_of(argument):
    """JSON Schema of an argument from what argparse is told."""
    action, nargs = getattr(argument, "_action", None), getattr(argument, "_nargs", None)
    model = getattr(argument, "argument_model", None)
    choices = list(getattr(argument, "choices", None) or [])
    if action in ("store_true", "store_false") or argument.cli_type_name == "boolean":
        # A switch without its opposite can only be on.
        return {"type": "boolean"} if getattr(argument, "group_name", argument.name) != argument.name else {"type": "boolean", "const": True}
    item = {"type": KINDS.get(argument.cli_type_name, "string")}
    if choices and all(isinstance(choice, str) for choice in choices):
        item["enum"] = choices
    is_list = nargs in ("+", "*") or action == "append" or getattr(model, "type_name", "") == "list"
    if is_list and getattr(getattr(model, "member", None), "type_name", "string") == "string":
        return {"type": "array", "items": item}
    # Structures are written in the shorthand of the command line or as JSON.
    return {"type": "array", "items": {}} if is_list else item


def parameters(command):
    found = []
    # Asked for its effect: the strategies of `s3 sync` (`--delete`, …) are hooked in when this table is built.
    command.subcommand_table  # noqa: B018
    for name, argument in command.arg_table.items():
        if name.startswith("no-") and name[3:] in command.arg_table:
            found[-1]["schema"] = {"type": "boolean"}
            continue
        entry = {"name": name, "doc": plain(argument.documentation, 160), "schema": schema_of(argument)}
        if argument.required:
            entry["required"] = True
        if argument.positional_arg:
            entry["positional"] = True
            entry["rest"] = getattr(argument, "_nargs", None) in ("+", "*", "REMAINDER")
        found.append(entry)
    return found


def walk(path, command):
    """A command that acts, or the commands below it."""
    # Only its own: `subcommand_table` of `cloudformation deploy` also holds what is hooked into the service `deploy`.
    if command.SUBCOMMANDS:
        for entry in command.SUBCOMMANDS:
            yield from walk([*path, entry["name"]], entry["command_class"](command._session))
        return
    text = command.DESCRIPTION
    if isinstance(text, BasicCommand.FROM_FILE):
        root = os.path.join(os.path.dirname(awscli.__file__), "examples")
        name = os.path.join(root, *text.filename.split("/")) if text.filename else os.path.join(root, *path, "_description.rst")
        text = open(name, encoding="utf-8").read() if os.path.exists(name) else ""
    yield {"words": path, "doc": plain(text, 300), "parameters": parameters(command)}


def commands():
    for service, command in sorted(awscli.clidriver.create_clidriver()._get_command_table().items()):
        if service in SKIPPED:
            continue
        if isinstance(command, BasicCommand):
            yield from walk([service], command)
            continue
        for name, inner in sorted(command._get_command_table().items()):
            if isinstance(inner, BasicCommand) and name not in SKIPPED:
                yield from walk([service, name], inner)


def main():
    head = {"source": f"awscli {awscli.__version__}, its command tables", "license": "Apache-2.0"}
    lines = ",\n".join(json.dumps(command, ensure_ascii=False, separators=(",", ":")) for command in commands())
    sys.stdout.write(json.dumps(head)[:-1] + ',\n"commands": [\n' + lines + "\n]}\n")


main()
