"""A Qwen3: normalised query and key heads, head_dim that is not hidden_size / heads."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import Qwen3Config

make(
    os.path.dirname(os.path.abspath(__file__)),
    Qwen3Config(
        vocab_size=67,
        hidden_size=16,
        intermediate_size=26,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=10,
        max_position_embeddings=64,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
    ),
)
