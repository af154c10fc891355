#!/usr/bin/env python3
"""Makes a random Qwen2 of two layers with a tokenizer of its own: the whole recipe then runs in seconds on a CPU. It can say nothing.

Usage: tiny.py OUT_FOLDER PAIRS.jsonl
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

# ChatML as Qwen2.5 writes it, without tools.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make(folder, pairs):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator((message["content"] for pair in pairs for message in pair["messages"]), trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>",
                                    chat_template=TEMPLATE)
    whole.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=len(whole), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=1024, tie_word_embeddings=True,
                         # Ten times the usual: the head is frozen, and with small weights it can say no word louder than another.
                         initializer_range=0.2)
    Qwen2ForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    make(Path(sys.argv[1]), [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()[:500]])
