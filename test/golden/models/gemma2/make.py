"""A Gemma 2: caps low enough to bite, four norms a block, a window in the first and third block."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from decoder_golden import make
from transformers import Gemma2Config

make(
    os.path.dirname(os.path.abspath(__file__)),
    Gemma2Config(
        vocab_size=59,
        hidden_size=16,
        intermediate_size=22,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        max_position_embeddings=64,
        sliding_window=4,
        query_pre_attn_scalar=9,
        attn_logit_softcapping=1.5,
        final_logit_softcapping=2.5,
        pad_token_id=1,
        bos_token_id=1,
        eos_token_id=0,
    ),
)
