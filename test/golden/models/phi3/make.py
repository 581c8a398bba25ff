"""A Phi-3 with three quarters of each head rotated, a window, and longrope within its original context."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import Phi3Config

make(
    os.path.dirname(os.path.abspath(__file__)),
    Phi3Config(
        vocab_size=73,
        hidden_size=24,
        intermediate_size=22,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=256,
        original_max_position_embeddings=64,
        sliding_window=7,
        tie_word_embeddings=False,
        pad_token_id=1,
        bos_token_id=1,
        eos_token_id=0,
        rope_parameters={"rope_type": "longrope", "rope_theta": 300.0, "partial_rotary_factor": 0.75, "short_factor": [1.0, 1.25, 1.75], "long_factor": [1.5, 2.75, 5.0]},
    ),
)
