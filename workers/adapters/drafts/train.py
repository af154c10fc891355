#!/usr/bin/env python3
"""Trains a LoRA adapter (Hu et al. 2021) that lets a model draft command lines: pairs of `data.py` → a PEFT directory.

Usage: train.py BASE PAIRS.jsonl OUT_FOLDER [--name Qwen/Qwen2.5-Coder-1.5B-Instruct] [--rank 16] [--steps N]
       (pip install -r requirements.txt; bf16 on a GPU, fp32 on a CPU)

BASE is a folder or a name on the hub, dense; or FOLDER/FILE.gguf, which is dequantized while it is loaded: the adapter then learns on the
weights that the engine runs. Loss is on the assistant's tokens alone, and on the end of its message only where the pair says that the line
ends there. The adapter is kept in bf16: 1.5B takes 2.31 MB a rank (41,216 numbers a layer, 28 layers), so 17 is the most below 40 MB and 16
is 36.9 MB; 0.5B takes 1.10 MB a rank, 16 is 17.6 MB.
"""

import argparse
import hashlib
import json
import random
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, get_cosine_schedule_with_warmup

MAX_BYTES = 40_000_000
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
UNTAUGHT = -100


def main(words=None):
    options = parse_options(words)
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer, model = load(options.base, device)
    model = with_adapter(model, options)
    rows = [json.loads(line) for line in Path(options.pairs).read_text(encoding="utf-8").splitlines()]
    taught = [one for one in (encode(tokenizer, row) for row in rows) if len(one[0]) <= options.max_length]
    print(f"{len(taught)} of {len(rows)} pairs are short enough; {sum(len(ids) for ids, _ in taught)} tokens", flush=True)
    losses = train(model, taught, options, device)
    save(model, Path(options.out), options.name)
    return losses


def parse_options(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("base", "pairs", "out"):
        parser.add_argument(name)
    parser.add_argument("--name", help="what the adapter says its base is; else the last part of BASE")
    parser.add_argument("--rank", type=int, default=16, help="more can learn more and takes 2.31 MB (1.5B) each")
    parser.add_argument("--alpha", type=int, default=32, help="weight of the adapter: alpha / rank")
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--batch-tokens", type=int, default=8192, help="tokens a step with padding; more costs memory")
    parser.add_argument("--max-length", type=int, default=512, help="longer pairs are left out")
    parser.add_argument("--checkpointing", action="store_true", help="less memory, a third slower")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    options.name = options.name or Path(options.base).name
    return options


def load(base, device):
    """Tokenizer and dense model. A GGUF file is dequantized."""
    path = Path(base)
    where = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    source = str(path.parent) if where else base
    tokenizer = AutoTokenizer.from_pretrained(source, **where)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **where)
    return tokenizer, model.to(device)


def with_adapter(model, options):
    """The model with an untrained adapter; refuses one that would be too big before any time is spent on it."""
    if options.checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    config = LoraConfig(r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout, target_modules=MODULES, bias="none",
                        task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    size = 2 * sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    if size >= MAX_BYTES:
        most = options.rank * (MAX_BYTES - 1) // size
        sys.exit(f"rank {options.rank} makes an adapter of {size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.0f}: take --rank {most} or less")
    return model


def encode(tokenizer, row):
    """(token ids, what is taught of them): every message of the assistant, and nothing else."""
    messages, text, ids, labels = row["messages"], "", [], []
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        asked = tokenizer.apply_chat_template(messages[:at], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(messages[: at + 1], tokenize=False)
        if not asked.startswith(text) or not whole.startswith(asked):
            raise ValueError("the template of this chat rewrites what was said before: it cannot be taught turn by turn")
        answer = whole[len(asked) :].rstrip("\n") if row.get("ends", True) else message["content"]
        for part, is_taught in ((asked[len(text) :], False), (answer, True)):
            own = tokenizer(part, add_special_tokens=False)["input_ids"]
            ids += own
            labels += own if is_taught else [UNTAUGHT] * len(own)
        text = asked + answer
    return ids, labels


def batches(taught, limit, chance):
    """Pairs of like length together, at most `limit` tokens with their padding: padding is computed for nothing."""
    order = sorted(range(len(taught)), key=lambda at: (len(taught[at][0]), chance.random()))
    found, batch = [], []
    for at in order:
        if batch and len(taught[at][0]) * (len(batch) + 1) > limit:
            found.append(batch)
            batch = []
        batch.append(taught[at])
    found.append(batch)
    chance.shuffle(found)
    return found


def tensors(batch, device):
    length = max(len(ids) for ids, _ in batch)
    pad = lambda one, value: one + [value] * (length - len(one))
    columns = {
        "input_ids": [pad(ids, 0) for ids, _ in batch],
        "attention_mask": [pad([1] * len(ids), 0) for ids, _ in batch],
        "labels": [pad(labels, UNTAUGHT) for _, labels in batch],
    }
    return {name: torch.tensor(column, device=device) for name, column in columns.items()}


def train(model, taught, options, device):
    """The loss of every step."""
    chance = random.Random(options.seed)
    plan = [batch for _ in range(options.epochs) for batch in batches(taught, options.batch_tokens, chance)]
    plan = plan[: options.steps] if options.steps else plan
    learned = [weights for weights in model.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=options.rate, weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, min(100, len(plan) // 10), len(plan))
    losses = []
    model.train()
    for number, batch in enumerate(plan, 1):
        loss = model(**tensors(batch, device)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if number % 20 == 0 or number == len(plan):
            recent = losses[-20:]
            print(f"{number}/{len(plan)} loss {sum(recent) / len(recent):.3f}", flush=True)
    return losses


def save(model, folder, name):
    """Writes the PEFT directory in bf16 and says what it weighs. The path of the base stays out of it."""
    for weights in model.parameters():
        if weights.requires_grad:
            weights.data = weights.data.to(torch.bfloat16)
    for config in model.peft_config.values():
        config.base_model_name_or_path = name
    model.save_pretrained(folder, save_embedding_layers=False)
    weights = folder / "adapter_model.safetensors"
    size = sum(file.stat().st_size for file in (weights, folder / "adapter_config.json"))
    print(f"{folder.name}: {size} bytes, sha256 {hashlib.sha256(weights.read_bytes()).hexdigest()}")
    if size >= MAX_BYTES:
        weights.unlink()
        sys.exit(f"the adapter weighs {size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.0f}: it was taken away, lower --rank")


if __name__ == "__main__":
    main()
