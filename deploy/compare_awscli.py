#!/usr/bin/env python3
"""Holds rendered AWS commands against awscli's own parser: the same API parameters must come out.

    cargo run -p silverback-catalogue --example render_calls -- WHEEL 2000 > calls.jsonl
    VENV/bin/python deploy/compare_awscli.py calls.jsonl      # a venv with awscli

awscli brings models of its own: set AWS_DATA_PATH to the unpacked `botocore/data` of the wheel, or newer operations are refused. What
awscli removes or replaces by commands of its own (`awscli/customizations/removals.py`, emr, datapipeline) it refuses, rightly. Nothing is called: the client's call is cut out. Exits 1 when a call differs.
"""

import contextlib
import io
import json
import os
import sys
import tempfile

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
# Version 2 no longer reads parameters from URLs; version 1 must be told.
with tempfile.NamedTemporaryFile("w", suffix=".ini", delete=False) as config:
    config.write("[default]\ncli_follow_urlparam = false\n")
os.environ["AWS_CONFIG_FILE"] = config.name

from awscli import clidriver  # noqa: E402: after the environment that it reads

SHOWN = 40
CALLED = []


def keep_call(_self, _service, operation, parameters, _globals):
    """Stands in for the call over the network."""
    CALLED.append((operation, parameters))
    return 0


def plain(value):
    """A value as JSON has it, with numbers that compare by value."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return value


def parse(words):
    """What awscli makes of a command: operation and parameters, or why it refuses."""
    CALLED.clear()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            clidriver.create_clidriver().main(words[1:])
    except SystemExit:
        pass
    return CALLED[-1] if CALLED else (None, said.getvalue().strip()[-300:])


def main(path):
    """Compares each call of a file; prints what differs and the share."""
    clidriver.CLIOperationCaller.invoke = keep_call
    same = differs = refused = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            expected = {name: value for name, value in row["arguments"].items() if name != "outfile"}
            operation, parameters = parse(row["words"])
            if operation == row["operation"] and plain(parameters) == plain(expected):
                same += 1
                continue
            refused += operation is None
            differs += operation is not None
            if refused + differs <= SHOWN:
                print(json.dumps(row["words"], ensure_ascii=False))
                print("   given ", json.dumps(expected, ensure_ascii=False))
                print("   awscli", operation, parameters if operation is None else json.dumps(plain(parameters), ensure_ascii=False))
    total = same + differs + refused
    print(f"{total} calls: {same} the same ({same / max(total, 1):.1%}), {differs} differ, {refused} refused by awscli")
    return 0 if total and same == total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
