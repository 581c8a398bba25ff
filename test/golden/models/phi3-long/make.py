"""A Phi-3 with a tied head beyond its original context: longrope's long factors."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import Phi3Config

make(
    os.path.dirname(os.path.abspath(__file__)),
    Phi3Config(
        vocab_size=61,
        hidden_size=20,
        intermediate_size=18,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        original_max_position_embeddings=7,
        tie_word_embeddings=True,
        pad_token_id=1,
        bos_token_id=1,
        eos_token_id=0,
        rope_parameters={"rope_type": "longrope", "rope_theta": 300.0, "partial_rotary_factor": 1.0, "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4], "long_factor": [1.5, 2.5, 3.5, 5.0, 8.0]},
    ),
    pad_to=8,  # one token more than the original context
)
