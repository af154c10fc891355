"""What the trainings of `reader`, `finder` and `splitter` share: the encoder with a LoRA adapter (Hu et al. 2021), its tokens, rates and files."""

import json
import math
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertModel

RANK = 64
OPEN, END = 101, 102
MODULES = ["query", "key", "value", "dense"]
# What holds a word together besides letters and digits: `./app.yaml`, `key=value`, `10%`, `me@example.com`.
WITHIN = "-_./:@~+=%$#*&?\\"


def fields(data):
    """The fields prepared in a folder: the stems of its `.portraits`."""
    return sorted(path.stem for path in Path(data).glob("*.portraits"))


def portraits(data, field):
    """What each operation of a field says about itself, by name."""
    lines = (Path(data) / f"{field}.portraits").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def rows(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


class Tokens:
    """Texts to tokens, each once."""

    def __init__(self, minilm):
        self.tokenizer = Tokenizer.from_file(str(Path(minilm) / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.known = {}

    def of(self, text):
        if text not in self.known:
            self.known[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self.known[text]

    def with_offsets(self, text):
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets


def words(text, offsets):
    """Words with their bytes, and which tokens each is made of; every other mark is a word of its own."""
    found, pieces, joins = [], [], False
    for piece, (start, end) in enumerate(offsets):
        is_within = all(letter.isalnum() or letter in WITHIN for letter in text[start:end])
        if joins and is_within and found[-1][1] == start:
            found[-1], pieces[-1] = (found[-1][0], end), (pieces[-1][0], piece + 1)
        else:
            found.append((start, end))
            pieces.append((piece, piece + 1))
        joins = is_within
    return found, pieces


def encoder(minilm):
    base = BertModel.from_pretrained(
        minilm, add_pooling_layer=False, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    lora = LoraConfig(r=RANK, lora_alpha=RANK, lora_dropout=0.0, bias="none", target_modules=MODULES)
    return get_peft_model(base, lora)


def padded(sequences):
    length = (max(map(len, sequences)) + 7) // 8 * 8
    ids = torch.zeros(len(sequences), length, dtype=torch.long)
    mask = torch.zeros(len(sequences), length, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return ids, mask


def states(model, ids, mask):
    """States of all tokens; the type of all of them is 0, as the engine has it."""
    with torch.autocast("cpu", torch.bfloat16):
        return model(input_ids=ids, attention_mask=mask).last_hidden_state.float()


def optimizer(model, rate, steps, warm_up):
    taught = [one for one in model.parameters() if one.requires_grad]
    adam = torch.optim.AdamW(taught, lr=rate, weight_decay=0.01)
    cosine = lambda step: 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1)))
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: min((step + 1) / warm_up, 1) * cosine(step))

    def step(loss):
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(taught, 1.0)
        adam.step()
        schedule.step()

    return step


def alike(rows_of, size, length, chance):
    """Batches of rows of like length: padding is computed for nothing."""
    chance.shuffle(rows_of)
    pools = [sorted(rows_of[at : at + size * 16], key=length) for at in range(0, len(rows_of), size * 16)]
    batches = [pool[at : at + size] for pool in pools for at in range(0, len(pool) - size + 1, size)]
    chance.shuffle(batches)
    return batches


def train(model, loss_of, taught, settings, chance):
    """Teaches examples that have `ids`; `settings` are epochs, size of a batch, rate and steps of warming up."""
    epochs, size, rate, warm_up = settings
    steps = epochs * (len(taught) // size)
    step, started, losses = optimizer(model, rate, steps, warm_up), time.time(), []
    for _ in range(epochs):
        for batch in alike(taught, size, lambda one: len(one.ids), chance):
            loss = loss_of(model(batch), batch)
            step(loss)
            losses.append(loss.item())
            if len(losses) % 50 == 0:
                done = f"{len(losses)}/{steps} loss {sum(losses[-50:]) / 50:.3f}"
                print(f"{done} {time.time() - started:.0f} s", flush=True)


def save(model, own, folder):
    """The adapter in PEFT's form; `own` are modules that the model does not have."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lora = {name: one for name, one in model.state_dict().items() if "lora_" in name}
    tensors = {name.replace(".default.", "."): one.half().contiguous() for name, one in lora.items()}
    for name, one in own.items():
        tensors[f"base_model.model.{name}.weight"] = (one.half() if one.numel() > 10 else one.float()).contiguous()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2", "r": RANK,
              "lora_alpha": RANK, "lora_dropout": 0.0, "bias": "none", "target_modules": MODULES,
              "modules_to_save": sorted(own), "task_type": "FEATURE_EXTRACTION"}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
