#!/usr/bin/env python3
"""Trains `../finder`: an adapter that finds in a request what each place of an operation is given (as GLiNER does, Zaratiana et al. 2023).

Usage: finder.py MINILM_FOLDER DATA CORPUS.jsonl OUT_FOLDER   (pip install -r requirements.txt; 20 minutes on 2 cores)

DATA holds for each field `FIELD.portraits` and `FIELD.places`, which the examples `rivals` and `places` of silverback-workers print. A place is
taught whether it is asked for, and where its value stands if it stands there as it is. An operation in twelve is held out.
"""

import json
import random
import sys

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from encoder import END, OPEN, Tokens, encoder, fields, padded, portraits, rows, save, states, train, words

MAX_REQUEST, MAX_ALL, MAX_HEADING = 72, 480, 70
BATCH, EPOCHS, RATE, WARM_UP = 16, 4, 8e-4, 100


class Finder(torch.nn.Module):
    """For each place: is it asked for, and at which words does its value begin and go on?"""

    def __init__(self, minilm):
        super().__init__()
        self.bert = encoder(minilm)
        random_matrix = lambda *shape: torch.nn.Parameter(torch.randn(*shape) * 0.03)
        self.begin, self.inside, self.asked = random_matrix(384, 384), random_matrix(384, 384), random_matrix(384)
        self.bias = torch.nn.Parameter(torch.tensor([-2.0, -2.0, -1.0]))

    def forward(self, batch):
        x = states(self.bert, *padded([one.ids for one in batch]))
        return [self.answer(x[row], one) for row, one in enumerate(batch)]

    def answer(self, x, one):
        words = torch.stack([x[1 + first : 1 + last].mean(0) for first, last in one.pieces])
        places = torch.stack([x[start:end].mean(0) for start, end in one.ranges])
        points = [places @ matrix @ words.T for matrix in (self.begin, self.inside)]
        return places @ self.asked + self.bias[2], torch.stack(points, -1) + self.bias[:2]


class Example:
    """A request beside all places of its operation, with what is right."""

    def __init__(self, tokens, heading, places, case):
        ids, offsets = tokens.with_offsets(case["text"])
        self.words, self.pieces = words(case["text"], offsets[:MAX_REQUEST])
        self.ids = [OPEN, *ids[:MAX_REQUEST], END, *tokens.of(heading), END]
        self.ranges, self.pointers = [], []
        for pointer, text in places:
            place = tokens.of(text)
            if len(self.ids) + len(place) + 1 > MAX_ALL:
                break
            self.ranges.append((len(self.ids), len(self.ids) + len(place)))
            self.pointers.append(pointer)
            self.ids += [*place, END]
        self.asked = np.zeros(len(self.pointers), np.float32)
        self.points = np.zeros((len(self.pointers), len(self.words), 2), np.float32)
        self.label(case)

    def label(self, case):
        given, used = {}, []
        for pointer, value in leaves(case["args"]):
            self.give(given, pointer, value)
        for own, values in sorted(given.items(), key=lambda one: -max(len(str(value)) for value in one[1])):
            place = self.pointers.index(own)
            self.asked[place] = 1
            found = [span for span in (stands(case["text"], value, used) for value in values) if span]
            # What does not stand there as it is (a date, a switch) is asked for, and nothing is said of where.
            self.points[place] = 0 if found else -1
            for span in found:
                self.mark(place, span)

    def give(self, given, pointer, value):
        """To the place itself; a map's keys and values belong to the map."""
        holders = [own for own in self.pointers if pointer == own or pointer.startswith(own + "/")]
        if holders:
            own = max(holders, key=len)
            given.setdefault(own, []).append(value)
            if pointer != own:
                given[own].append(pointer[len(own) + 1 :])

    def mark(self, place, span):
        part = 0
        for word, (start, end) in enumerate(self.words):
            if start < span[1] and end > span[0]:
                self.points[place, word] = (1 - part, part)
                part = 1


def leaves(value, pointer=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, pointer)
    else:
        yield pointer, value


def stands(text, value, used):
    """The first place of a value in a text that is not used, else the first; it is then used too."""
    if isinstance(value, bool):
        return None
    spellings = [str(value)]
    if isinstance(value, (int, float)):
        spellings += [str(int(value)), f"{int(value):,}"]
    for spelling in spellings:
        found = occurrences(text.lower(), spelling.lower())
        free = [span for span in found if not any(start < span[1] and span[0] < end for start, end in used)]
        if found:
            used.append((free or found)[0])
            return used[-1]
    return None


def occurrences(text, said):
    """Where it stands as a whole word."""
    found, at = [], text.find(said) if said else -1
    while at >= 0:
        end = at + len(said)
        opens = at == 0 or not (text[at - 1].isalnum() and said[0].isalnum())
        closes = end == len(text) or not (text[end].isalnum() and said[-1].isalnum())
        if opens and closes:
            found.append((at, end))
        at = text.find(said, at + 1)
    return found


def spans(points):
    """Runs of words that begin and go on."""
    found, is_open = [], False
    for word, (begin, inside) in enumerate(points):
        if begin > 0 and begin >= inside:
            found.append([word, word + 1])
            is_open = True
        elif is_open and inside > 0:
            found[-1][1] = word + 1
        else:
            is_open = False
    return found


def loss_of(answers, batch):
    total = 0
    for (asked, points), one in zip(answers, batch):
        right = torch.tensor(one.points)
        pointed = cross_entropy(points, right.clamp(min=0), reduction="none") * (right >= 0)
        total += cross_entropy(asked, torch.tensor(one.asked), reduction="sum") + 0.5 * pointed.sum()
    return total / len(batch)


@torch.no_grad()
def report(model, held):
    for vendor, own in held.items():
        counts, exact, known = np.zeros(3), 0, 0
        for one in own:
            [(asked, points)] = model([one])
            said, right = asked.numpy() > 0, one.asked > 0
            counts += [(said & right).sum(), said.sum(), right.sum()]
            for place in np.flatnonzero(right & (one.points.min((1, 2), initial=0) >= 0)):
                known += 1
                exact += spans(points[place].numpy()) == spans(np.where(one.points[place] > 0, 1, -1))
        both, said, right = counts
        print(f"held-out {vendor}, n {len(own)}: asked precision {both / said:.3f}, recall {both / right:.3f}; "
              f"values exact {exact / known:.3f} of {known}", flush=True)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    minilm, data, corpus, out = sys.argv[1:]
    torch.manual_seed(0)
    chance, tokens = random.Random(3), Tokens(minilm)
    places = {row["op"]: row["places"] for field in fields(data) for row in rows(f"{data}/{field}.places")}
    described = {name: text for field in fields(data) for name, text in portraits(data, field).items()}
    cases = rows(corpus)
    names = sorted({case["op"] for case in cases})
    chance.shuffle(names)
    held = set(names[: len(names) // 12])
    taught, tested = [], {}
    for case in cases:
        heading = described.get(case["op"], "").split(". ")[0][:MAX_HEADING]
        one = Example(tokens, heading, places.get(case["op"], []), case)
        if not one.words:
            continue
        if one.pointers and case["op"] in held:
            tested.setdefault(case["op"].split("/")[0], []).append(one)
        elif one.pointers:
            taught.append(one)
    model = Finder(minilm)
    train(model, loss_of, taught, (EPOCHS, BATCH, RATE, WARM_UP), chance)
    report(model.eval(), tested)
    own = {"asked": model.asked[None], "begin": model.begin, "inside": model.inside, "bias": model.bias[None]}
    save(model.bert, own, out)


if __name__ == "__main__":
    main()
