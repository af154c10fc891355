#!/usr/bin/env python3
"""Trains `requests/`: a LoRA adapter that brings what users say near the descriptions of the operations that they mean.

Usage: train.py MINILM_FOLDER SENTENCES_FOLDER PHRASES_FOLDER OUT_FOLDER [--hold-out]
       (pip install jax==0.7.2 optax safetensors tokenizers; 12 minutes on 2 cores)

SENTENCES_FOLDER holds `PROVIDER.sent`, written by `cargo run --release -p silverback-catalogue --example sentences -- PROVIDER.pack`;
PHRASES_FOLDER is `workers/catalogue/data/phrases`. Only the side of the request is trained: descriptions keep their vectors, so each
phrase competes with every other operation of its field (softmax over cosines). Services whose name's SHA-256 begins below 0x40 are
blind: they have no phrases and are no rivals either. `--hold-out` keeps those below 0x70 out of training too and reports on them.
"""
import hashlib
import json
import random
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

RANK, EPOCHS, RATE, TEMPERATURE, BATCH = 16, 1, 1e-3, 0.05, 64
LENGTHS = (12, 16, 20, 24, 32, 64)
LINEAR = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
          "intermediate.dense", "output.dense")
# Vendors that one specialist serves compete with each other.
FIELDS = {"aws": 0, "kubernetes": 1, "openbb": 2, "stripe": 2}


class Encoder:
    """all-MiniLM-L6-v2 with an optional adapter: mean of the token states, length 1."""

    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text())
        self.heads, self.layers = config["num_attention_heads"], config["num_hidden_layers"]
        self.epsilon = config["layer_norm_eps"]
        weights = load_file(folder / "model.safetensors")
        self.weights = {name: jnp.asarray(one) for name, one in weights.items() if one.dtype == np.float32}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LENGTHS[-1])
        self.run = jax.jit(self.forward)

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + self.epsilon)
        return scaled * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def linear(self, adapter, x, name):
        y = x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]
        if adapter is None:
            return y
        a, b = adapter[name]
        return y + (x @ a) @ b

    def forward(self, adapter, ids, mask):
        embeddings = {name: self.weights[f"embeddings.{name}_embeddings.weight"]
                      for name in ("word", "position", "token_type")}
        x = embeddings["word"][ids] + embeddings["position"][: ids.shape[1]][None] + embeddings["token_type"][0]
        x = self.norm(x, "embeddings.LayerNorm")
        bias = (1 - mask[:, None, None, :]) * -1e9
        for layer in range(self.layers):
            x = self.layer(adapter, f"encoder.layer.{layer}.", x, bias)
        sums = (x * mask[..., None]).sum(1)
        return sums / jnp.linalg.norm(sums, axis=-1, keepdims=True)

    def layer(self, adapter, name, x, bias):
        batch, length, _ = x.shape
        split = lambda one: one.reshape(batch, length, self.heads, -1).transpose(0, 2, 1, 3)
        query, key, value = (split(self.linear(adapter, x, name + part)) for part in LINEAR[:3])
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1]) + bias
        mixed = (jax.nn.softmax(scores, -1) @ value).transpose(0, 2, 1, 3).reshape(batch, length, -1)
        x = self.norm(x + self.linear(adapter, mixed, name + LINEAR[3]), name + "attention.output.LayerNorm")
        wide = jax.nn.gelu(self.linear(adapter, x, name + LINEAR[4]), approximate=False)
        return self.norm(x + self.linear(adapter, wide, name + LINEAR[5]), name + "output.LayerNorm")

    def batch(self, texts):
        encoded = [one.ids for one in self.tokenizer.encode_batch(texts)]
        length = next(length for length in LENGTHS if length >= max(map(len, encoded)))
        ids, mask = np.zeros((len(texts), length), np.int32), np.zeros((len(texts), length), np.float32)
        for row, one in enumerate(encoded):
            ids[row, : len(one)], mask[row, : len(one)] = one, 1
        return ids, mask

    def encode(self, adapter, texts):
        vectors = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            padded = [texts[row] for row in rows] + [""] * (BATCH - len(rows))
            vectors[rows] = np.asarray(self.run(adapter, *self.batch(padded)))[: len(rows)]
        return vectors

    def new_adapter(self, key):
        adapter = {}
        for layer in range(self.layers):
            for part in LINEAR:
                name = f"encoder.layer.{layer}.{part}"
                out, into = self.weights[name + ".weight"].shape
                key, own = jax.random.split(key)
                adapter[name] = (jax.random.normal(own, (into, RANK)) / np.sqrt(into), jnp.zeros((RANK, out)))
        return adapter


def read(sentences, phrases):
    """Operations as (vendor, service/name) with their descriptions, and phrases with the index of their operation."""
    described = {}
    for vendor in FIELDS:
        for line in (sentences / f"{vendor}.sent").read_text().splitlines():
            name, _, sentence = line.partition("\t")
            described[vendor, name] = sentence
    index = {name: at for at, name in enumerate(described)}
    index |= {(vendor, name.split("/", 1)[1]): at for (vendor, name), at in index.items() if vendor != "aws"}
    said = []
    for vendor in FIELDS:
        for line in (phrases / f"{vendor}.tsv").read_text().splitlines():
            name, *own = line.split("\t")
            said += [(phrase, index[vendor, name]) for phrase in own if (vendor, name) in index]
    return described, said


def first_byte(name):
    vendor, operation = name
    return hashlib.sha256(operation.split("/")[0].encode()).digest()[0] if vendor == "aws" else 0xFF


def train(encoder, described, said, is_rival):
    vectors = jnp.asarray(encoder.encode(None, list(described.values())))
    field = jnp.asarray([FIELDS[vendor] for vendor, _ in described])
    rival = jnp.asarray(is_rival)
    steps = EPOCHS * (len(said) // BATCH)
    rate = optax.warmup_cosine_decay_schedule(0, RATE, min(100, steps // 10), steps, RATE / 20)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=0.01))
    adapter = encoder.new_adapter(jax.random.PRNGKey(0))
    state = optimizer.init(adapter)

    def loss(adapter, ids, mask, wanted):
        scores = encoder.forward(adapter, ids, mask) @ vectors.T / TEMPERATURE
        scores = jnp.where((field[None] == field[wanted][:, None]) & rival[None], scores, -1e9)
        return -jax.nn.log_softmax(scores, -1)[jnp.arange(len(wanted)), wanted].mean()

    @jax.jit
    def step(adapter, state, ids, mask, wanted):
        value, gradient = jax.value_and_grad(loss)(adapter, ids, mask, wanted)
        update, state = optimizer.update(gradient, state, adapter)
        return optax.apply_updates(adapter, update), state, value

    chance = random.Random(1)
    for number, batch in enumerate(batches(said, chance), 1):
        wanted = jnp.asarray([at for _, at in batch])
        adapter, state, value = step(adapter, state, *encoder.batch([phrase for phrase, _ in batch]), wanted)
        if number % 50 == 0:
            print(f"{number}/{steps} loss {float(value):.3f}", flush=True)
    return adapter, np.asarray(vectors)


def batches(said, chance):
    """Phrases of like length together: padding is computed for nothing."""
    for _ in range(EPOCHS):
        chance.shuffle(said)
        pools = [sorted(said[at : at + BATCH * 16], key=lambda one: len(one[0])) for at in range(0, len(said), BATCH * 16)]
        found = [pool[at : at + BATCH] for pool in pools for at in range(0, len(pool) - BATCH + 1, BATCH)]
        chance.shuffle(found)
        yield from found


def report(encoder, adapter, vectors, said, described):
    field = np.asarray([FIELDS[vendor] for vendor, _ in described])
    for name, used in (("without", None), ("with", adapter)):
        scores = encoder.encode(used, [phrase for phrase, _ in said]) @ vectors.T
        ranks = np.asarray([(row[field == field[at]] > row[at]).sum() for row, (_, at) in zip(scores, said)])
        found = ", ".join(f"@{k} {(ranks < k).mean():.3f}" for k in (1, 5, 20))
        print(f"held-out services, {name} adapter, n {len(said)}: {found}")


def save(adapter, folder):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, (a, b) in adapter.items():
        for half, one in (("A", a), ("B", b)):
            values = np.ascontiguousarray(np.asarray(one).T).astype(np.float16)
            tensors[f"base_model.model.{name}.lora_{half}.weight"] = values
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2", "r": RANK,
              "lora_alpha": RANK, "lora_dropout": 0.0, "bias": "none", "task_type": "FEATURE_EXTRACTION",
              "target_modules": ["query", "key", "value", "dense"]}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


def main():
    folders = [Path(one) for one in sys.argv[1:] if not one.startswith("--")]
    if len(folders) != 4:
        sys.exit(__doc__)
    minilm, sentences, phrases, out = folders
    held = 0x70 if "--hold-out" in sys.argv else 0x40
    described, said = read(sentences, phrases)
    names = list(described)
    taught = [one for one in said if first_byte(names[one[1]]) >= held]
    encoder = Encoder(minilm)
    adapter, vectors = train(encoder, described, taught, [first_byte(name) >= held for name in names])
    tested = [one for one in said if first_byte(names[one[1]]) < held]
    if tested:
        report(encoder, adapter, vectors, random.Random(2).sample(tested, min(1500, len(tested))), described)
    save(adapter, out)


if __name__ == "__main__":
    main()
