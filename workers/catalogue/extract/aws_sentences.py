"""Vendor sentences for the retrieval evaluation, from the examples of the AWS command line.

`python3 aws_sentences.py AWSCLI_WHEEL OUT_DIR` (PyPI awscli 1.46.3) writes `vendor.test.jsonl` (services whose name's SHA-256 begins
below 0x40: never looked at) and `vendor.tune.jsonl` (all others), a seeded sample of each. One sentence an example file: title and first
sentence of the description, with the operation's own name taken out. Licence of the text: Apache-2.0.
"""

import hashlib
import json
import pathlib
import random
import re
import sys
import zipfile

SAMPLES = {"test": 320, "tune": 200}
SEED = 3


def is_blind(service):
    return hashlib.sha256(service.encode()).digest()[0] < 0x40


def plain(text):
    """Running text without marks of reStructuredText."""
    text = re.sub(r"`([^`<]*?)\s*<[^>]*>`__?", r"\1", text)
    return re.sub(r"\s+", " ", text.replace("``", "").replace("**", "").replace("`", "")).strip()


def paragraphs(text):
    return [part for part in re.split(r"\n\s*\n", text.replace("\r", "")) if part.strip()]


def sentence(text, operation):
    """Title and first sentence of the first example; nothing when the file has no title."""
    parts = paragraphs(text)
    at = next((index for index, part in enumerate(parts) if part.strip().startswith("**")), None)
    if at is None:
        return None
    title = plain(parts[at])
    following = parts[at + 1] if at + 1 < len(parts) else ""
    if re.match(r"\s|Command::|Output::", following) or following.strip().startswith("aws "):
        following = ""
    first = re.split(r"(?<=[.:])\s", plain(following), maxsplit=1)[0]
    both = f"{title.rstrip('.:')}. {first}".strip()
    both = re.sub(r"^Example \d+: ", "", both)
    both = re.sub(rf"(?i)\b(aws\s+[a-z0-9-]+\s+)?{re.escape(operation)}\b", "", both)
    both = re.sub(r"(?i)\b(the )?following\s+(example|command)s?\b|\bthis example\b|\s+command\b", "", both)
    return re.sub(r"\s+", " ", both).strip(" .:") or None


def rows(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            _, found, tail = name.partition("/examples/")
            parts = pathlib.PurePosixPath(tail).parts
            if not found or len(parts) != 2 or not tail.endswith(".rst"):
                continue
            service, operation = parts[0], parts[1].removesuffix(".rst")
            text = sentence(archive.read(name).decode("utf-8", "replace"), operation)
            if text and len(text.split()) >= 3:
                yield {"text": text[:400], "command": ["aws", service, operation]}


def main(wheel, folder):
    every = list(rows(wheel))
    for part, count in SAMPLES.items():
        chosen = [row for row in every if is_blind(row["command"][1]) == (part == "test")]
        chosen = random.Random(SEED).sample(chosen, min(count, len(chosen)))
        with open(pathlib.Path(folder) / f"vendor.{part}.jsonl", "w", encoding="utf-8") as out:
            for row in sorted(chosen, key=lambda row: row["command"]):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
