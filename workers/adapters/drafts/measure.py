#!/usr/bin/env python3
"""Measures drafts without and with an adapter on held-out services: the table before/after.

Usage: measure.py REPOSITORY BASE HELD_OUT.jsonl [--adapter FOLDER] [--limit 1000] [--batch 32]

Drafts are greedy and begin with the specialist's opener, as the engine's do, and end at the first line's end. Whether the model would rather
say that there is nothing to write is read off its first token, before the opener is put in its mouth: `#` more likely than the opener.
Shares come with their 95 % interval (Wilson 1927). An argument is right as it is written: no structure in another notation counts.
"""

import argparse
import json
import random
from math import sqrt
from pathlib import Path

import torch
from peft import PeftModel

from data import NOTHING
from line import Reader, first_line
from train import load

MAX_DRAFT_TOKENS = 96
OPENERS = {"aws": "aws", "kubernetes": "kubectl"}


def main(words=None):
    options = parse_options(words)
    rows = [json.loads(line) for line in Path(options.pairs).read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["source"] != "replay"]
    rows = random.Random(options.seed).sample(rows, min(options.limit, len(rows)))
    data = Path(options.repository) / "workers/catalogue/data"
    reader = Reader(*(json.loads((data / name).read_text()) for name in ("kubectl.json", "kubernetes_kinds.json")))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer, model = load(options.base, device)
    columns = {"before": judge(Drafter(tokenizer, model, device, options.batch), rows, reader)}
    if options.adapter:
        model = PeftModel.from_pretrained(model, options.adapter)
        columns["after"] = judge(Drafter(tokenizer, model, device, options.batch), rows, reader)
    for line in table(columns):
        print(line)
    return columns


def parse_options(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("repository", "base", "pairs"):
        parser.add_argument(name)
    parser.add_argument("--adapter", help="PEFT directory; without it only the column before is measured")
    parser.add_argument("--limit", type=int, default=1000, help="pairs, drawn by the seed")
    parser.add_argument("--batch", type=int, default=32, help="drafts at once; more costs memory")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


class Drafter:
    """Writes drafts as the engine does."""

    def __init__(self, tokenizer, model, device, batch):
        self.tokenizer, self.model, self.device, self.batch = tokenizer, model.eval(), device, batch
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        # A line ends with the message or with the line: both stop a draft.
        self.ends = sorted({self.tokenizer.eos_token_id, self.first_token("\n")})

    def first_token(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"][0]

    def prompt(self, row):
        return self.tokenizer.apply_chat_template(row["messages"][:-1], tokenize=False, add_generation_prompt=True)

    @torch.no_grad()
    def draft(self, rows):
        """(would say nothing, drafted line) of every row, in order."""
        found = [None] * len(rows)
        order = sorted(range(len(rows)), key=lambda at: len(self.prompt(rows[at])))
        for start in range(0, len(order), self.batch):
            at = order[start : start + self.batch]
            for place, one in zip(at, self.draft_batch([rows[place] for place in at])):
                found[place] = one
        return found

    def draft_batch(self, rows):
        openers = [OPENERS[row["specialty"]] for row in rows]
        prompts = [self.prompt(row) for row in rows]
        scores = self.model(**self.tokens(prompts)).logits[:, -1]
        nothing = [bool(score[self.first_token(NOTHING)] > score[self.first_token(opener)]) for score, opener in zip(scores, openers)]
        asked = self.tokens([prompt + opener for prompt, opener in zip(prompts, openers)])
        written = self.model.generate(**asked, max_new_tokens=MAX_DRAFT_TOKENS, do_sample=False, temperature=None, top_p=None, top_k=None,
                                      repetition_penalty=1.0, eos_token_id=self.ends, pad_token_id=self.tokenizer.pad_token_id)
        texts = self.tokenizer.batch_decode(written[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
        return [(says, first_line(opener + text)) for says, opener, text in zip(nothing, openers, texts)]

    def tokens(self, texts):
        found = self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(self.device)
        return {name: found[name] for name in ("input_ids", "attention_mask")}


def judge(drafter, rows, reader):
    """(right, of how many) of every row of the table."""
    counts = {}
    for row, (says_nothing, draft) in zip(rows, drafter.draft(rows)):
        wanted = row["messages"][-1]["content"]
        for what, is_right in verdicts(row, wanted, says_nothing, draft, reader):
            right, of = counts.get(what, (0, 0))
            counts[what] = (right + is_right, of + 1)
    return counts


def verdicts(row, wanted, says_nothing, draft, reader):
    if wanted == NOTHING:
        yield "negatives: nothing said", says_nothing
        return
    words, arguments = reader.read(wanted)
    drafted, own = reader.read(draft)
    yield "wishes: nothing not said", not says_nothing
    yield f"{row['source']}: command words right", drafted == words
    if row["ends"]:
        yield f"{row['source']}: words and all arguments right", (drafted, own) == (words, arguments)


def wilson(right, of):
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, right / of
    middle, half = share + z * z / (2 * of), z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


def table(columns):
    yield f"| held-out services | n | {' | '.join(columns)} |"
    yield f"|---|---|{'---|' * len(columns)}"
    for what in sorted(next(iter(columns.values()))):
        cells = []
        for column in columns.values():
            right, of = column[what]
            low, high = wilson(right, of)
            cells.append(f"{right / of:.3f} ({low:.3f} to {high:.3f})")
        yield f"| {what} | {of} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
