"""A Qwen2 with biases and a tied head; its first block sees all, the others the last six tokens."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import Qwen2Config

make(
    os.path.dirname(os.path.abspath(__file__)),
    Qwen2Config(
        vocab_size=71,
        hidden_size=18,
        intermediate_size=28,
        num_hidden_layers=3,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        use_sliding_window=True,
        sliding_window=6,
        max_window_layers=1,
    ),
)
