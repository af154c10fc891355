"""Works the values of a command into the sentence that asks for it, so that nothing is to be guessed.

Every argument that stands in the command is said in the sentence: by the vendor's own words, or by a seeded turn of phrase. Must not know
which vendor a command is of.
"""

import json
import re
from dataclasses import dataclass, field

# A longer value is nobody's to type; the argument is left out.
MAX_VALUE = 100
# `Name=state,Values=a,b` and `key=env,value=prod`; `env=prod` is said as it is.
SHORTHAND = re.compile(r"([A-Z]\w*|key|value)=[^=]+(,([A-Z]\w*|key|value)=[^=]+)*$")
PLAIN_WORD = re.compile(r"[a-z]+$|.{1,2}$")


@dataclass
class Argument:
    """One argument of a command: `option` is empty for a positional, `values` for a switch."""

    option: str
    values: list = field(default_factory=list)
    # Kinds in the values and what is said for them: {"rs": ["replicaset", "replica set"]}.
    spellings: dict = field(default_factory=dict)

    @property
    def label(self):
        return self.option.lstrip("-").replace("-", " ")

    def leaves(self):
        """What must be said; None when a value cannot be said."""
        found = []
        for value in self.values:
            parts = re.split("[/,]", value)
            said = parts if parts[0] in self.spellings else leaves(value)
            if not said:
                return None
            found += said
        return found


def bare(value):
    """A value without what only the command line wants: `file://` before a file, `-` behind a label to remove."""
    return re.sub(r"^fileb?://|(?<=\w)-$", "", value)


def leaves(value):
    """What of a value must be said; None when it is too deep or too long to be said in a sentence."""
    value = bare(value)
    if len(value) > MAX_VALUE or "\n" in value or not re.search(r"\w", value):
        return None
    if re.search(r"[{\[]", value):
        return json_leaves(value)
    if SHORTHAND.match(value):
        pairs = shorthand(value)
        names = [] if turn_of(pairs) else [key for key, _ in pairs]
        return names + [one for _, said in pairs for one in said.split(",")]
    return [value]


def json_leaves(value):
    try:
        found = json.loads(value)
    except ValueError:
        return None
    flat = found if isinstance(found, list) else [one for pair in found.items() for one in pair]
    if not flat or not all(isinstance(one, (str, int)) for one in flat):
        return None
    return [one if isinstance(one, str) else json.dumps(one) for one in flat]


def shorthand(value):
    """`Name=state,Values=a,b` → [("Name", "state"), ("Values", "a,b")]."""
    return [tuple(one.split("=", 1)) for one in re.split(r",(?=\w+=)", value)]


def turn_of(pairs):
    """How a tag or a filter is said without the names of its fields; None for any other structure."""
    return {("key", "value"): "=", ("name", "values"): " "}.get(tuple(key.lower() for key, _ in pairs))


def says(text, leaf, spellings=()):
    """Does the text hold the value as a word of its own?"""
    if any(re.search(rf"(?<!\w){re.escape(one)}s?(?!\w)", text, re.IGNORECASE) for one in spellings):
        return True
    return re.search(rf"(?<![\w-]){re.escape(leaf)}(?![\w-])", text) is not None


def says_argument(text, argument):
    """Does the text say the whole argument?"""
    if not argument.values:
        return all(says(text.lower(), word, [word]) for word in argument.label.lower().split())
    return all(says(text, leaf, argument.spellings.get(leaf, ())) for leaf in argument.leaves())


def is_meant(text, argument):
    """The same for a sentence that may hold a plain word by chance: that counts only where it is quoted or called a name."""
    if not says_argument(text, argument):
        return False
    plain = [leaf for leaf in argument.leaves() if PLAIN_WORD.match(leaf) and not leaf.isdigit()]
    return all(re.search(rf"(named|called|['\"]) ?['\"]?{re.escape(leaf)}(?![\w-])", text) for leaf in plain)


def hints_at(text, argument):
    """Does the text hold a part of the argument, in any letters? Then it cannot be left out."""
    return any(says(text.lower(), leaf.lower()) for leaf in argument.leaves() if len(leaf) > 1)


# === turns of phrase ===


def spoken(value, chance):
    """A value as somebody types it into a sentence."""
    value = bare(value)
    if value[0] in "{[":
        return ", ".join(json_leaves(value))
    if SHORTHAND.match(value):
        pairs = shorthand(value)
        if turn_of(pairs):
            return turn_of(pairs).join(said for _, said in pairs)
        joint = chance.choice([" ", "="])
        return ", ".join(f"{key}{joint}{said}" for key, said in pairs)
    return chance.choice([f'"{value}"', f"'{value}'", value]) if " " in value and '"' not in value else value


def listed(parts, chance):
    parts = list(parts)
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + chance.choice([" and ", ", ", ", and "]) + parts[-1]


def item(argument, chance, joint=" "):
    """`bucket invoices`, `dry run`."""
    value = listed((spoken(value, chance) for value in argument.values), chance)
    return f"{argument.label}{joint}{value}" if argument.option and value else argument.label or value


def noun(argument):
    """`analyzer` of `--analyzer-name`, `instance` of `--instance-ids`."""
    return re.sub(r" (name|names|id|ids|arn|arns|identifier)$", "", argument.label)


def lead(base, argument, chance):
    """The sentence with its main value where people put it."""
    value, thing = listed((spoken(value, chance) for value in argument.values), chance), noun(argument)
    turns = [f"{base} ({item(argument, chance)})", f"{base} for {thing} {value}".replace("for for", "for").replace("  ", " ")]
    if not argument.option:
        turns += [f"{base}: {value}", f"{base}, {value}"]
    elif thing == "name" or base.lower().endswith(thing.lower().split()[-1]):
        turns += [f"{base}: {value}", f"{base} {value}"]
        turns += [f"{base} named {value}", f"{base} called {value}"] if argument.label.endswith("name") else []
    return chance.choice(turns)


def tail(base, arguments, chance):
    """The sentence with all its other values."""
    if not arguments:
        return base
    parts = lambda joint: [item(one, chance, joint) for one in arguments]
    labelled = all(one.option and one.values for one in arguments)
    return chance.choice([
        lambda: f"{base} with {listed(parts(' '), chance)}",
        lambda: f"{base}, {', '.join(parts(': '))}",
        lambda: f"{base} ({', '.join(parts(' '))})",
        lambda: f"{base}, {listed(parts(' '), chance)}",
        lambda: f"{listed(parts(' '), chance)}: {base}",
        lambda: f"{base}. {'. '.join(['', 'The ', 'Its '][chance.randrange(3) * labelled] + part for part in parts(' is '))}",
        lambda: f"{base} using {listed(parts(' = '), chance)}",
    ])()


def work_in(base, arguments, chance):
    """The sentence that says these arguments too."""
    places = [one for one in arguments if one.option in ("--region", "--namespace") and one.values]
    rest = [one for one in arguments if one not in places]
    if rest and rest[0].values and chance.random() < 0.6:
        base, rest = lead(base, rest[0], chance), rest[1:]
    base = tail(base, rest, chance)
    for place in places:
        word = "" if place.option == "--region" else chance.choice(["namespace ", "the namespace "])
        base = f"{base} in {word}{place.values[0]}"
    return base
