"""A Mistral whose window is shorter than its examples and than their shared prefixes and what follows."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import MistralConfig

make(
    os.path.dirname(os.path.abspath(__file__)),
    MistralConfig(
        vocab_size=83,
        hidden_size=20,
        intermediate_size=34,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        max_position_embeddings=64,
        rms_norm_eps=1e-05,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        sliding_window=4,
    ),
)
