#!/usr/bin/env python3
"""Fits the weights of `src/sense.rs`: multinomial logistic regression, the same weights for every capability.

Usage: fit_sense.py SENSE.jsonl   (needs torch)

SENSE holds what `cargo run --release -p silverback-workers --example sense` prints. Texts count as much as their class has a share in use
(`PRIOR`). Accuracy is by five folds; `right` of a text may be `none`.
"""

import json
import math
import random
import sys

import torch

NAMES = ["example", "fits", "phrase", "meaning", "words", "identified", "none_example", "none"]
LEAST, L2 = 1e-4, 0.003
# How often requests are what nobody serves; capabilities share the rest evenly.
PRIOR = {"none": 0.2}


def features(row):
    """One row of numbers a class, and which is right."""
    names = sorted(row["shares"])
    table = []
    for name in names:
        example = math.log(max(row["shares"][name], LEAST))
        if name == "none":
            table.append([0, 0, 0, 0, 0, 0, example, 1])
        else:
            fits, phrase, meaning, words, identifiers = row["recognised"][name]
            fits = min(max(fits, LEAST), 1 - LEAST)
            table.append([example, math.log(fits / (1 - fits)), phrase, meaning, words, float(identifiers > 0), 0, 0])
    return table, names.index(row["right"])


def fit(x, y, weights):
    w = torch.zeros(len(NAMES), requires_grad=True)
    search = torch.optim.LBFGS([w], max_iter=300, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        total = (torch.nn.functional.cross_entropy(x @ w, y, reduction="none") * weights).sum() / weights.sum()
        total = total + L2 * (w**2).sum()
        total.backward()
        return total

    search.step(loss)
    return w.detach()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    random.Random(5).shuffle(rows)
    pairs = [features(row) for row in rows]
    x, y = torch.tensor([table for table, _ in pairs]), torch.tensor([right for _, right in pairs])
    classes = sorted({row["right"] for row in rows})
    counts = {name: sum(row["right"] == name for row in rows) for name in classes}
    share = lambda name: PRIOR.get(name, (1 - sum(PRIOR.values())) / (len(classes) - len(PRIOR)))
    weights = torch.tensor([share(row["right"]) / counts[row["right"]] for row in rows])
    said = torch.zeros(len(rows), x.shape[1])
    for fold in range(5):
        out = torch.arange(len(rows)) % 5 == fold
        said[out] = torch.softmax(x[out] @ fit(x[~out], y[~out], weights[~out]), -1)
    names = sorted(rows[0]["shares"])
    for name in classes:
        own = y == names.index(name)
        print(f"{name}: n {counts[name]}, likeliest right {(said[own].argmax(-1) == y[own]).float().mean():.3f}")
    none, other = names.index("none"), y != names.index("none")
    print("likeliest capability right", (said[other].index_fill(1, torch.tensor(none), 0).argmax(-1) == y[other]).float().mean())
    for bound in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        refused = said[:, none] >= bound
        print(f"none from {bound}: refused of none {refused[~other].float().mean():.3f}, of others {refused[other].float().mean():.4f}")
    for name, value in zip(NAMES, fit(x, y, weights).tolist()):
        print(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
