#!/usr/bin/env python3
"""Trains `../reader`: an adapter that reads a request and an operation's description at once and says how well they go together.

Usage: reader.py MINILM_FOLDER DATA OUT_FOLDER   (pip install -r requirements.txt; 40 minutes on 2 cores)

DATA holds, for each field (`aws`, `kubernetes`, `finance`), what `cargo run --release -p silverback-workers --example rivals` prints:
`FIELD.portraits` (`--portraits`), `FIELD.corpus.jsonl` and `FIELD.phrases.jsonl` (the corpus's requests and users' phrases with their rivals).
A request's operation competes with five of the fourteen that retrieval takes for it. An operation in twelve is held out.
"""

import math
import random
import sys
import time

import torch
from torch.nn.functional import normalize

from encoder import END, OPEN, Tokens, alike, encoder, fields, optimizer, padded, portraits, rows, save, states

MAX_REQUEST, MAX_DESCRIPTION = 44, 57
RIVALS, HARDEST, BATCH = 5, 14, 8
RATE, WARM_UP = 5e-4, 150
PHRASES = {"aws": 1800, "kubernetes": 500, "finance": 700}
WEIGHTS = (0, 0.3, 0.5, 0.7, 1, 2)


class Reader(torch.nn.Module):
    """Score of a pair: what its states say, how near its texts are, how near each word is to the nearest of the description."""

    def __init__(self, minilm):
        super().__init__()
        self.bert = encoder(minilm)
        self.head = torch.nn.Parameter(torch.zeros(384))
        self.mix = torch.nn.Parameter(torch.tensor([10.0, 10.0]))

    def forward(self, ids, mask):
        x = states(self.bert, ids, mask)
        mask = mask[..., None].float()
        ends = (ids == END).cumsum(1)
        request = ((ends == 0) & (torch.arange(ids.shape[1])[None] > 0)).float()
        description = ((ends == 1) & (ids != END)).float()
        mean = lambda part: normalize((x * part[..., None]).sum(1) / part.sum(1, keepdim=True).clamp(min=1), dim=-1)
        near = (mean(request) * mean(description)).sum(-1)
        likeness = normalize(x, dim=-1) @ normalize(x, dim=-1).transpose(1, 2) + (description[:, None, :] - 1) * 4
        covered = (likeness.max(-1).values * request).sum(1) / request.sum(1).clamp(min=1)
        said = ((x * mask).sum(1) / mask.sum(1)) @ self.head * 10
        return said + near * self.mix[0] + covered * self.mix[1]


class Pairs:
    def __init__(self, tokens, described):
        self.tokens, self.described = tokens, described

    def of(self, request, name):
        said, description = self.tokens.of(request), self.tokens.of(self.described[name])
        return [OPEN, *said[:MAX_REQUEST], END, *description[:MAX_DESCRIPTION], END]

    def group(self, row, chance):
        rivals = [name for name, _ in row["rivals"] if name != row["right"]][:HARDEST]
        return [self.of(row["text"], name) for name in [row["right"], *chance.sample(rivals, RIVALS)]]


def read(data, chance):
    """What is taught, and what is held out, by field."""
    corpus, phrases = {}, []
    for field in fields(data):
        corpus[field] = rows(f"{data}/{field}.corpus.jsonl")
        said = rows(f"{data}/{field}.phrases.jsonl")
        chance.shuffle(said)
        phrases += said[: PHRASES[field]]
    names = sorted({row["right"] for own in corpus.values() for row in own})
    chance.shuffle(names)
    held = set(names[: len(names) // 12])
    taught = [row for own in corpus.values() for row in own if row["right"] not in held] * 2
    taught += [row for row in phrases if row["right"] not in held]
    enough = lambda row: sum(name != row["right"] for name, _ in row["rivals"]) >= RIVALS
    return [row for row in taught if enough(row)], {
        field: [row for row in own if row["right"] in held] for field, own in corpus.items()
    }


def train(model, pairs, taught, chance):
    steps = len(taught) // BATCH
    step = optimizer(model, RATE, steps, WARM_UP)
    started, losses = time.time(), []
    for number, batch in enumerate(alike(taught, BATCH, lambda row: len(row["text"]), chance), 1):
        sequences = [pair for row in batch for pair in pairs.group(row, chance)]
        scores = model(*padded(sequences)).reshape(-1, RIVALS + 1)
        loss = -torch.log_softmax(scores, -1)[:, 0].mean()
        step(loss)
        losses.append(loss.item())
        if number % 100 == 0:
            print(f"{number}/{steps} loss {sum(losses[-100:]) / 100:.3f} {time.time() - started:.0f} s", flush=True)


@torch.no_grad()
def report(model, pairs, held):
    """How often the right one is first when log-belief and this score are added, by the weight of the score."""
    for field, own in held.items():
        first = dict.fromkeys(WEIGHTS, 0)
        for row in own:
            rivals = row["rivals"][:16]
            scores = model(*padded([pairs.of(row["text"], name) for name, _ in rivals])).tolist()
            for weight in WEIGHTS:
                total = [math.log(max(belief, 1e-6)) + weight * score for (_, belief), score in zip(rivals, scores)]
                first[weight] += rivals[total.index(max(total))][0] == row["right"]
        shares = ", ".join(f"{weight}: {count / len(own):.3f}" for weight, count in first.items())
        print(f"held-out {field}, n {len(own)}, first by weight {shares}", flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    minilm, data, out = sys.argv[1:]
    torch.manual_seed(0)
    chance = random.Random(3)
    described = {name: text for field in fields(data) for name, text in portraits(data, field).items()}
    taught, held = read(data, chance)
    model, pairs = Reader(minilm), Pairs(Tokens(minilm), described)
    train(model, pairs, taught, chance)
    report(model.eval(), pairs, held)
    save(model.bert, {"head": (model.head * 10)[None], "mix": model.mix[None]}, out)


if __name__ == "__main__":
    main()
