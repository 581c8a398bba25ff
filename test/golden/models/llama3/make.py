"""A Llama 3.x: scaled rotary frequencies, a head of its own, head_dim that is not hidden_size / heads."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import LlamaConfig

make(
    os.path.dirname(os.path.abspath(__file__)),
    LlamaConfig(
        vocab_size=89,
        hidden_size=20,
        intermediate_size=34,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=12,
        max_position_embeddings=64,
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500.0,
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 2.0,
            "original_max_position_embeddings": 16,
        },
    ),
)
