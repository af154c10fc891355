"""Reads a drafted command line into what can be compared: its words and its arguments. Must not know how lines are drafted."""

import json
import re
import shlex


def first_line(text):
    """The line where the engine stops reading."""
    return re.split(r"\n|```", text.strip(), maxsplit=1)[0].strip()


class Reader:
    """Reads lines of `aws` and of `kubectl`; `kubectl` is the content of `kubectl.json`, `kinds` of `kubernetes_kinds.json`."""

    def __init__(self, kubectl, kinds):
        self.flags, self.short = {}, {}
        for command in kubectl["commands"]:
            for name in [command["name"], *command.get("aliases", [])]:
                self.flags[name] = (command["name"], [*command["flags"], *kubectl["global_flags"]])
        self.kinds = {name: one["name"] for one in kinds["kinds"] for name in (one["name"], one["plural"], *one["short"])}

    def read(self, line):
        """(words, arguments): of equal lines both are equal. A line that no shell reads has no words."""
        try:
            tokens = shlex.split(line)
        except ValueError:
            return (), {}
        return self.read_kubectl(tokens[1:]) if tokens[:1] == ["kubectl"] else read_aws(tokens[1:])

    def read_kubectl(self, tokens):
        count = next((count for count in (3, 2, 1) if " ".join(tokens[:count]) in self.flags), 0)
        if not count:
            return tuple(tokens[:1]), {}
        name, known = self.flags[" ".join(tokens[:count])]
        types = {flag["name"]: flag["type"] for flag in known}
        long = {flag["short"]: flag["name"] for flag in known if flag.get("short")}
        rest, arguments = tokens[count:], {"": []}
        while rest:
            token = rest.pop(0)
            if token == "--":
                arguments["--"], rest = rest, []
            elif token.startswith("-") and len(token) > 1:
                option, value = flag_of(token, long)
                if value is None:
                    value = "true" if types.get(option) == "boolean" or not rest else rest.pop(0)
                arguments.setdefault(option, []).append(value)
            else:
                arguments[""] += token.split("/") if token.split("/")[0] in self.kinds else [token]
        arguments[""] = [",".join(self.kinds.get(one, one) for one in word.split(",")) for word in arguments[""]]
        return tuple(name.split()), arguments


def flag_of(token, long):
    """(long name, value or None) of `--name=value`, `-n`, `-n=value`, `-nvalue`."""
    if token.startswith("--"):
        option, found, value = token[2:].partition("=")
        return option, value if found else None
    option, value = long.get(token[1], token[1]), token[2:].removeprefix("=")
    return option, value or None


def read_aws(tokens):
    arguments, option = {}, ""
    for token in tokens[2:]:
        if re.match(r"--[a-z]", token):
            option, found, value = token[2:].partition("=")
            arguments[option] = [plain_json(value)] if found else []
        else:
            arguments.setdefault(option, []).append(plain_json(token))
    return tuple(tokens[:2]), arguments


def plain_json(value):
    """JSON in one spelling; anything else as it is."""
    try:
        return json.dumps(json.loads(value), sort_keys=True) if value[:1] in ("{", "[") else value
    except ValueError:
        return value
