#!/usr/bin/env python3
"""Makes the pairs that teach a specialist to draft: JSONL with chat messages, as `workers/src/specialist/draft.rs` asks.

Usage: data.py REPOSITORY DATA_FOLDER OUT.jsonl --part train|held-out [--copies 2] [--seed 1] [--replay FILE --replay-share .1]

REPOSITORY is the root of this repository, DATA_FOLDER the one with `aws_examples.jsonl` and `kubectl_examples.jsonl`. Three sources:
phrases (what users say → the words of the command, no end: what follows is not taught), the vendors' examples (a sentence into which the
values were worked → the whole command, without what the sentence does not say), negatives (what nobody serves → `# nothing`).

The words of a command are exact. AWS: as awscli's own examples say them (`aws_examples.jsonl`); where they have none, by botocore's rule
`xform_name` with its table of exceptions, without the operations that awscli removes. kubectl: its commands as they are.

A blind service (SHA-256 of its name begins below 0x40) never appears; those below 0x70 are held out. Of kubectl the first word of a
command decides, of negatives the request; these know no blind part.
"""

import argparse
import json
import random
import re
import shlex
import tomllib
from collections import Counter
from pathlib import Path

from sentence import Argument, hints_at, is_meant, says_argument, work_in
from words import AwsWords, kebab, open_part_of, part_of

NOTHING = "# nothing"
# The engine cuts a draft at 96 tokens.
MAX_LINE = 240
# Arguments that no request asks for: how the command line prints and connects.
NEVER_SAID = {"--query", "--output", "--profile", "--endpoint-url", "--cli-input-json", "--generate-cli-skeleton", "--no-paginate",
              "--no-cli-pager", "--no-verify-ssl", "--ca-bundle"}
# How often a value that the vendor's sentence lacks is worked in; else its argument is left out.
WORKED_IN = 0.8


def main():
    options = parse_options()
    repository, chance = Path(options.repository), random.Random(options.seed)
    sources = Sources(repository, Path(options.data), chance)
    pairs = [*sources.phrases(), *sources.aws_examples(options.copies), *sources.kubectl_examples(options.copies)]
    pairs = unique([pair for pair in [*pairs, *sources.negatives()] if pair["part"] == options.part])
    if options.replay:
        pairs += replay(Path(options.replay), options.replay_share, len(pairs), chance)
    chance.shuffle(pairs)
    with open(options.out, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    for source, count in sorted(Counter(pair["source"] for pair in pairs).items()):
        print(f"{source}: {count}")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("repository", "data", "out"):
        parser.add_argument(name)
    parser.add_argument("--part", choices=["train", "held-out"], required=True)
    parser.add_argument("--copies", type=int, default=2, help="sentences an example; more repeats the commands oftener")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", help="JSONL with `messages`: general tool calls, so that the model keeps what it can")
    parser.add_argument("--replay-share", type=float, default=0.1, help="of all pairs; more teaches our commands less")
    return parser.parse_args()


class Sources:
    """Where pairs come from. Every method yields pairs with their part."""

    def __init__(self, repository, data, chance):
        self.chance, self.workers = chance, repository / "workers"
        self.catalogue = self.workers / "catalogue"
        self.aws_rows, self.kubectl_rows = (read_lines(data / f"{name}_examples.jsonl") for name in ("aws", "kubectl"))
        self.special = json.loads((self.catalogue / "src/import/aws/xform_special.json").read_text())
        self.words = AwsWords(self.aws_rows, self.special)
        self.systems = {name: self.specialty(name)["draft"]["system"] for name in ("aws", "kubernetes")}

    def specialty(self, name):
        return tomllib.loads((self.workers / f"specialties/{name}.toml").read_text())

    def pair(self, source, specialty, part, request, line, ends=True):
        """`ends` is false where the line goes on with arguments that nobody wrote down: its end is then not taught."""
        said = [("system", self.systems[specialty]), ("user", request), ("assistant", line)]
        return {"source": source, "specialty": specialty, "part": part, "ends": ends,
                "messages": [{"role": role, "content": content} for role, content in said]}

    def phrases(self):
        for name, *said in read_table(self.catalogue / "data/phrases/aws.tsv"):
            service, operation = name.split("/")
            words = self.words.of(service, operation)
            for phrase in said if words else ():
                yield self.pair("aws-phrases", "aws", part_of(service), phrase, " ".join(["aws", *words]), ends=False)
        for name, *said in read_table(self.catalogue / "data/phrases/kubernetes.tsv"):
            for phrase in said:
                part = open_part_of(name.split()[0])
                yield self.pair("kubectl-phrases", "kubernetes", part, phrase, f"kubectl {name}", ends=False)

    def aws_examples(self, copies):
        for row in self.aws_rows:
            bases, arguments = aws_sentences(row), aws_arguments(row, self.special)
            if not bases or arguments is None or part_of(row["service"]) == "blind":
                continue
            words = shlex.split(row["command"])[:3]
            for copy in range(copies):
                base = bases[copy % len(bases)]
                kept = [one for one in arguments if one.leaves() is not None and self.keeps(base, one)]
                line = command_line(words, kept)
                if len(line) <= MAX_LINE:
                    unsaid = [one for one in kept if not is_meant(base, one)]
                    yield self.pair("aws-examples", "aws", part_of(row["service"]), self.asked(base, unsaid), line)

    def keeps(self, base, argument):
        """What the sentence does not hint at may be left out of it and of the command."""
        return not argument.option or hints_at(base, argument) or self.chance.random() < WORKED_IN

    def kubectl_examples(self, copies):
        """These sentences were written for their command: nothing is left out."""
        commands = json.loads((self.catalogue / "data/kubectl.json").read_text())
        kinds = kind_spellings(json.loads((self.catalogue / "data/kubernetes_kinds.json").read_text()))
        for row in self.kubectl_rows:
            base, arguments = kubectl_sentence(row), kubectl_arguments(row, flag_types(commands, row["operation"]), kinds)
            if not base or arguments is None or any(one.leaves() is None for one in arguments):
                continue
            line = command_line(["kubectl", *row["operation"].split()], arguments)
            unsaid = [one for one in arguments if not says_argument(base, one)]
            for _ in range(copies if len(line) <= MAX_LINE else 0):
                part = open_part_of(row["operation"].split()[0])
                yield self.pair("kubectl-examples", "kubernetes", part, self.asked(base, unsaid), line)

    def asked(self, base, unsaid):
        """The request: what its base does not say is worked in."""
        base = base[:1].lower() + base[1:] if base[1:2].islower() and self.chance.random() < 0.5 else base
        return work_in(base, unsaid, self.chance)

    def negatives(self):
        for request in self.specialty("none")["routing"]["examples"]:
            for name in self.systems:
                yield self.pair("negatives", name, open_part_of(request), request, NOTHING)


# === AWS ===


def aws_sentences(row):
    """Wishes made of an example's title and description; empty when neither is one."""
    title = re.sub(r"^\W*(Example \d+\W+)?(To )?", "", plain(row["title"] or ""))
    found = re.match(r"The following (?:[\w-]+ )?(?:example |command |operation )?([a-z]+s) (.+)", plain(row["description"] or ""))
    wishes = [title[:1].upper() + title[1:]] if len(title.split()) > 1 else []
    if found and "following" not in found.group(2):
        wishes.append(f"{imperative(found.group(1)).capitalize()} {found.group(2)}")
    return [wish for wish in wishes if shlex.split(row["command"])[2] not in wish and "example" not in wish.lower()]


def plain(text):
    """The first sentence without the marks of reStructuredText."""
    text = re.sub(r"`([^`<]+) <[^>]+>`__?", r"\1", text)
    text = re.sub(r"``|\*\*|:\w+:`|`|\bspecified (?=[a-z])", "", text)
    return re.split(r"(?<=\w\w)[.:](?:\s|$)", " ".join(text.split()))[0].strip(" .:")


def imperative(verb):
    """`applies` → `apply`, `passes` → `pass`, `creates` → `create`."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if re.search(r"(ss|sh|ch|x|zz)es$", verb) else verb[:-1]


def aws_arguments(row, special):
    """The arguments as typed; None when the words of the command do not come first."""
    tokens = shlex.split(row["command"])[1:]
    if len(tokens) < 2 or tokens[1].startswith("-"):
        return None
    arguments = []
    for token in tokens[2:]:
        if re.match(r"--[a-z]", token):
            option, _, value = token.partition("=")
            arguments.append(Argument(option, [value] if value else []))
        else:
            (arguments or [Argument("")])[-1].values.append(token)
    single = {f"--{kebab(name, special)}" for name, value in row["arguments"].items() if isinstance(value, str)}
    if any(len(one.values) > 1 for one in arguments if one.option in single):
        return None  # A file to write to stands behind an option.
    return [one for one in arguments if one.option not in NEVER_SAID]


# === kubectl ===


def kubectl_sentence(row):
    wish = re.split(r" (?=(?:If|Any|This|Does|You) )", plain(row["description"]))[0]
    return None if re.match(r"As above|To |If |Dry run", wish) or re.search(r"[<>$]|\.\.\.", row["command"]) else wish


def flag_types(commands, operation):
    flags = commands["global_flags"] + next((one["flags"] for one in commands["commands"] if one["name"] == operation), [])
    return {flag["name"]: flag["type"] for flag in flags}


def kind_spellings(kinds):
    """What is said for a kind, by each of its names: `rs`, `replicaset` → replicaset, replicasets, replica set."""
    found = {}
    for one in kinds["kinds"]:
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", one["kind"]).lower()
        for name in (one["name"], one["plural"], *one["short"]):
            found[name] = [one["name"], one["plural"], spaced]
    return found


def kubectl_arguments(row, types, kinds):
    """Positionals and flags in the long form; None for a row that was split wrongly."""
    *positionals, command = [*row["positionals"], row["flags"].get("--")]
    flags = {name: values for name, values in row["flags"].items() if name != "--"}
    if any(name not in types for name in flags) or any(re.match(r"[A-Z]+_[A-Z]+$", one) for one in positionals):
        return None
    said = [Argument("", [one], {kind: kinds[kind] for kind in re.split("[/,]", one) if kind in kinds}) for one in positionals]
    for name, values in flags.items():
        said.append(Argument(f"--{name}", [] if types[name] == "boolean" and values == ["true"] else values))
    return said + ([Argument("--", [shlex.join(command)])] if command else [])


# === lines and files ===


def command_line(words, arguments):
    line = [*words]
    for one in arguments:
        if one.option == "--":
            line += ["--", *one.values]
        elif words[0] == "kubectl" and one.option:
            line += [f"{one.option}={shlex.quote(value)}" for value in one.values] or [one.option]
        else:
            line += [one.option] * bool(one.option) + [shlex.quote(value) for value in one.values]
    return " ".join(line)


def unique(pairs):
    """One pair a request and specialty; a request with two answers keeps the first."""
    return list({(pair["specialty"], pair["messages"][1]["content"].lower()): pair for pair in reversed(pairs)}.values())[::-1]


def replay(file, share, count, chance):
    """So many chats of a file that they are this share of everything."""
    rows = [{"source": "replay", "ends": True, "messages": row["messages"]} for row in read_lines(file)]
    return chance.sample(rows, min(len(rows), round(count * share / (1 - share))))


def read_lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def read_table(file):
    return [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    main()
