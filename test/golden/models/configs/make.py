"""Configs in the shape of published models and in the spelling of their files (before transformers 5), and what transformers and PEFT make of
them: parameters, kinds of attention, rotary frequencies, the modules that all-linear adapts. Nothing but meta tensors is made.

Run: python test/golden/models/configs/make.py
"""

import hashlib
import json
import os
import platform

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = {"hidden_act": "silu", "attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True}


def factors(n, first, step):
    return [round(first + step * i, 4) for i in range(n)]


CONFIGS = {
    "llama-135m": {**SMALL, "model_type": "llama", "attention_bias": False, "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_scaling": None, "rope_theta": 100000, "tie_word_embeddings": True},
    "mistral-7b": {**SMALL, "model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": False},
    "mistral-without-window": {**SMALL, "model_type": "mistral", "vocab_size": 32768, "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 96, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5, "rope_theta": 1000000.0, "sliding_window": None},
    "mistral-silent-on-window": {**SMALL, "model_type": "mistral", "vocab_size": 32768, "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 32768},
    "qwen2-0.5b": {**SMALL, "model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 32768, "max_window_layers": 21, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "sliding_window": 32768, "use_sliding_window": False, "tie_word_embeddings": True},
    "qwen2-windowed": {**SMALL, "model_type": "qwen2", "vocab_size": 152064, "hidden_size": 448, "intermediate_size": 896, "num_hidden_layers": 5, "num_attention_heads": 7, "num_key_value_heads": 1, "max_position_embeddings": 131072, "max_window_layers": 3, "rope_theta": 1000000.0, "sliding_window": 2048, "use_sliding_window": True, "tie_word_embeddings": False},
    "qwen3-0.6b": {**SMALL, "model_type": "qwen3", "attention_bias": False, "vocab_size": 151936, "head_dim": 128, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "max_position_embeddings": 40960, "max_window_layers": 28, "rms_norm_eps": 1e-6, "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None, "use_sliding_window": False, "tie_word_embeddings": True},
    "qwen3-silent-on-heads": {**SMALL, "model_type": "qwen3", "vocab_size": 151936, "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 40960, "use_sliding_window": True, "max_window_layers": 0, "sliding_window": 512},
    "phi3-mini-4k": {**SMALL, "model_type": "phi3", "attention_bias": False, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_scaling": None, "rope_theta": 10000.0, "sliding_window": 2047, "tie_word_embeddings": False},
    "phi3-mini-128k": {**SMALL, "model_type": "phi3", "attention_bias": False, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_scaling": {"long_factor": factors(48, 1.05, 1.2), "short_factor": factors(48, 1.0, 0.04), "type": "longrope"}, "rope_theta": 10000.0, "sliding_window": 262144, "tie_word_embeddings": False},
    "phi4-mini": {**SMALL, "model_type": "phi3", "attention_bias": False, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "full_attn_mod": 1, "interpolate_factor": 1, "lm_head_bias": False, "mlp_bias": False, "vocab_size": 200064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 24, "num_key_value_heads": 8, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "partial_rotary_factor": 0.75, "rms_norm_eps": 1e-5, "rope_scaling": {"long_factor": factors(48, 1.0, 1.1), "short_factor": factors(48, 1.0, 0.0), "type": "longrope"}, "rope_theta": 10000.0, "sliding_window": 262144, "tie_word_embeddings": True},
    "gemma2-2b": {"model_type": "gemma2", "attention_bias": False, "attention_dropout": 0.0, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "cache_implementation": "hybrid", "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "vocab_size": 256000, "head_dim": 256, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 8192, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "sliding_window": 4096},
}


def understood(source):
    config = AutoConfig.for_model(**json.loads(json.dumps(source)))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        shapes = {name: list(p.shape) for name, p in model.named_parameters()}
        adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=1, target_modules="all-linear"))
        targets = sorted({name.split(".lora_A")[0].split(".")[-1] for name, _ in adapted.named_parameters() if ".lora_A" in name})
        lora = sum(p.numel() for name, p in adapted.named_parameters() if ".lora_" in name)
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or ["full_attention" if window is None else "sliding_attention"] * config.num_hidden_layers
    rotary = type(model.get_decoder().rotary_emb)(config)
    short = rotary.inv_freq.clone()
    x = torch.zeros(1)
    rotary(x, torch.tensor([[config.max_position_embeddings - 1]]))
    lines = "".join(f"{name} {shapes[name]}\n" for name in sorted(shapes))
    return {
        "config": source,
        "parameters": sum(p for p in map(lambda s: torch.Size(s).numel(), shapes.values())),
        "tensors": hashlib.sha256(lines.encode()).hexdigest(),
        "loraTargets": targets,
        "loraParametersPerRank": lora,
        "slidingLayers": [i for i, kind in enumerate(kinds) if kind == "sliding_attention"],
        "window": window,
        "rotaryScale": rotary.attention_scaling,
        "rotaryFirstLast": [float(short[1]), float(short[-1])],
        "rotaryWidth": 2 * len(short),
        "longFirstLast": [float(rotary.inv_freq[1]), float(rotary.inv_freq[-1])],
    }


def write(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


write("expected.json", {name: understood(config) for name, config in CONFIGS.items()})
versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
write("provenance.json", {"command": "python test/golden/models/configs/make.py", "versions": versions, "seed": 0})
