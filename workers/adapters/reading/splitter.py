#!/usr/bin/env python3
"""Trains `../splitter`: an adapter that says at which words of a request a new wish begins.

Usage: splitter.py MINILM_FOLDER WISHES.jsonl CORPUS.jsonl OUT_FOLDER   (pip install -r requirements.txt; 15 minutes on 2 cores)

WISHES holds requests in which `‖` stands before each new wish, CORPUS requests of one wish each. Of these, some are joined two to four
at a time, so that length alone says nothing. A tenth of WISHES is held out.
"""

import random
import sys

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from encoder import END, OPEN, Tokens, encoder, padded, rows, save, states, train, words

MAX_REQUEST = 160
BATCH, EPOCHS, RATE, WARM_UP = 32, 3, 6e-4, 60
MARK = "‖"
# How often a written request is shown, how many of the corpus are shown once, and how many made of several of those. More of the corpus
# and it hardly splits at all.
WRITTEN, ALONE, JOINED = 2, 2000, 500
JOINTS = [", ", ", and ", " and ", ". ", "; ", ", then ", ". then ", ". Also ", ", also ", " plus ", ". oh and ", "\n", " - ", ". After that ", " & ", ". "]


class Splitter(torch.nn.Module):
    def __init__(self, minilm):
        super().__init__()
        self.bert = encoder(minilm)
        self.begin = torch.nn.Parameter(torch.randn(384) * 0.03)
        self.bias = torch.nn.Parameter(torch.tensor(-3.0))

    def forward(self, batch):
        x = states(self.bert, *padded([one.ids for one in batch]))
        return [self.answer(x[row], one) for row, one in enumerate(batch)]

    def answer(self, x, one):
        said = torch.stack([x[1 + first : 1 + last].mean(0) for first, last in one.pieces])
        return said @ self.begin + self.bias


class Example:
    """A request, and for each of its words whether a new wish begins there."""

    def __init__(self, tokens, marked):
        self.text, starts = marked.replace(MARK, ""), []
        for part in marked.split(MARK)[:-1]:
            starts.append((starts[-1] if starts else 0) + len(part))
        ids, offsets = tokens.with_offsets(self.text)
        self.words, self.pieces = words(self.text, offsets[:MAX_REQUEST])
        self.ids = [OPEN, *ids[:MAX_REQUEST], END]
        self.begins = torch.zeros(len(self.words))
        for start in starts:
            # The first word at or after the mark; joining commas belong to what is joined.
            at = next((word for word, (begin, _) in enumerate(self.words) if begin >= start), None)
            if at is not None:
                self.begins[at] = 1


def joined(corpus, chance):
    """Requests of the corpus set side by side."""
    few = chance.sample(corpus, chance.choice([2, 2, 2, 3, 3, 4]))
    if chance.random() < 0.6:
        field = few[0]["op"].split("/")[0]
        few = [few[0], *chance.sample([row for row in corpus if row["op"].startswith(field)], len(few) - 1)]
    text = few[0]["text"].rstrip(" .")
    for row in few[1:]:
        joint = chance.choice(JOINTS)
        # The joining word opens what is joined; marks and blanks do not.
        opened = len(joint) - len(joint.lstrip(" .,;-\n"))
        text = text.rstrip(" .") + joint[:opened] + MARK + joint[opened:] + row["text"].rstrip(" .")
    return text


def loss_of(answers, batch):
    return sum(cross_entropy(said, one.begins, reduction="sum") for said, one in zip(answers, batch)) / len(batch)


@torch.no_grad()
def report(model, held):
    right, one, alone, both, said, due = 0, 0, 0, 0, 0, 0
    for example in held:
        begins = model([example])[0] > 0
        wanted = example.begins > 0
        right += bool((begins == wanted).all())
        both, said, due = both + (begins & wanted).sum().item(), said + begins.sum().item(), due + wanted.sum().item()
        if not wanted.any():
            one, alone = one + 1, alone + (not begins.any())
    print(f"held-out, n {len(held)}: all beginnings right {right / len(held):.3f}; of {one} without any {alone} told; "
          f"precision {both / max(said, 1):.3f}, recall {both / max(due, 1):.3f}", flush=True)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    minilm, wishes, corpus, out = sys.argv[1:]
    torch.manual_seed(0)
    chance, tokens = random.Random(3), Tokens(minilm)
    written, corpus = [row["text"] for row in rows(wishes)], rows(corpus)
    chance.shuffle(written)
    held, written = written[: len(written) // 10], written[len(written) // 10 :]
    chance.shuffle(corpus)
    alone = [row["text"] for row in corpus[:ALONE]]
    texts = written * WRITTEN + alone + [joined(corpus, chance) for _ in range(JOINED)]
    examples = lambda texts: [one for one in (Example(tokens, text) for text in texts) if one.words]
    model = Splitter(minilm)
    train(model, loss_of, examples(texts), (EPOCHS, BATCH, RATE, WARM_UP), chance)
    report(model.eval(), examples(held))
    save(model.bert, {"begin": model.begin[None], "bias": model.bias[None, None]}, out)


if __name__ == "__main__":
    main()
