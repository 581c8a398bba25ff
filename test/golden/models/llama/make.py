"""A Llama with a tied head and three query heads to a key head."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import LlamaConfig

make(
    os.path.dirname(os.path.abspath(__file__)),
    LlamaConfig(
        vocab_size=97,
        hidden_size=24,
        intermediate_size=50,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    ),
)
