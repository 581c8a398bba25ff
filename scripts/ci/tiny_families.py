"""A tiny random model of every family, with a tokenizer and chat template of the family's kind, as folders under OUT.

    python scripts/ci/tiny_families.py OUT [llama.cpp]

With llama.cpp: of what llama.cpp computes too, which has no windows but Gemma's and takes some numbers for granted.
"""

import json
import os
import shutil
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "golden")
TOKENIZERS = {
    "mistral": "mistral",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "phi3": "phi3",
    "phi3-long": "phi4-mini",
    "gemma2": "gemma2",
}
# windows that llama.cpp has not; Gemma's scale is that of its head size, and its window shorter than prompts are
AS_LLAMA_CPP = {
    "mistral": {"sliding_window": None},
    "qwen2": {"use_sliding_window": False, "sliding_window": None, "layer_types": ["full_attention"] * 3},
    "phi3": {"sliding_window": None},
    "phi3-long": {"sliding_window": None},
    "gemma2": {"query_pre_attn_scalar": 6, "sliding_window": 40},
}
MORE = {"llama": "../kinds/byte-fallback", "llama3": "../kinds/byte-level-pattern"}


def as_converted(folder, family):
    """
    Like tokenizers that were converted from sentencepiece: every pair that makes a piece is a merge. Phi-3's special
    tokens remove the white space behind them.
    """
    path = os.path.join(folder, "tokenizer.json")
    with open(path) as f:
        tokenizer = json.load(f)
    model = tokenizer["model"]
    if not model["byte_fallback"]:
        return
    pieces = dict.fromkeys("".join(pair) for pair in model["merges"])
    splits = ((text[:i], text[i:]) for text in pieces for i in range(1, len(text)))
    model["merges"] = [list(pair) for pair in splits if all(part in model["vocab"] for part in pair)]
    if family == "phi3":
        for token in tokenizer["added_tokens"]:
            token["rstrip"] = token["content"] not in ("<unk>", "<s>", "<|endoftext|>")
    with open(path, "w") as f:
        json.dump(tokenizer, f)


def make(family, kind, out, changes):
    tokenizer = os.path.join(GOLDEN, "data-tokenizer", "families", kind)
    folder = os.path.join(out, family)
    shutil.copytree(tokenizer, folder)
    vocab = Tokenizer.from_file(os.path.join(tokenizer, "tokenizer.json")).get_vocab_size(with_added_tokens=True)
    # longrope's short factors throughout: with the long ones transformers' numbers depend on each text's length
    longer = {"original_max_position_embeddings": 4096} if family.startswith("phi3") else {}
    config = AutoConfig.from_pretrained(
        os.path.join(GOLDEN, "models", family, "model"),
        vocab_size=vocab,
        max_position_embeddings=8192,
        **longer,
        **changes,
    )
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    model.save_pretrained(folder)


out, *target = sys.argv[1:]
for family, kind in {**TOKENIZERS, **(MORE if target else {})}.items():
    make(family, kind, out, AS_LLAMA_CPP.get(family, {}) if target else {})
    if target:
        as_converted(os.path.join(out, family), family)
