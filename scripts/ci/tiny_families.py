"""A tiny random model of every family, with a tokenizer and chat template of the family's kind, as folders under OUT.

    python scripts/ci/tiny_families.py OUT
"""

import os
import shutil
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from tokenizers import Tokenizer

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "golden")
TOKENIZERS = {"mistral": "mistral", "qwen2": "qwen2", "qwen3": "qwen3", "phi3": "phi3", "phi3-long": "phi4-mini", "gemma2": "gemma2"}


def make(family, kind, out):
    tokenizer = os.path.join(GOLDEN, "data-tokenizer", "families", kind)
    folder = os.path.join(out, family)
    shutil.copytree(tokenizer, folder)
    vocab = Tokenizer.from_file(os.path.join(tokenizer, "tokenizer.json")).get_vocab_size(with_added_tokens=True)
    # longrope's short factors throughout: with the long ones transformers' numbers depend on each text's length
    longer = {"original_max_position_embeddings": 4096} if family.startswith("phi3") else {}
    config = AutoConfig.from_pretrained(
        os.path.join(GOLDEN, "models", family, "model"), vocab_size=vocab, max_position_embeddings=8192, **longer
    )
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    model.save_pretrained(folder)


for family, kind in TOKENIZERS.items():
    make(family, kind, sys.argv[1])
