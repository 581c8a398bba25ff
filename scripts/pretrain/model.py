"""The base model in plain PyTorch: a small Llama with grouped queries and a tied head, and its export as a Hugging Face folder.

Shapes: B batch, T tokens, D hidden, H query heads, K key/value heads, E head dim, F feed-forward, V vocabulary.
Parameter names are those of transformers' LlamaForCausalLM, so that the export is a plain copy.
"""
import json
import os
import pathlib
import shutil

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "vocab_size": 4096, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 6,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
    "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
    "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0, "tie_word_embeddings": True,
    "initializer_range": 0.02, "pretraining_tp": 1, "use_cache": True,
    "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1,
    "torch_dtype": "float16",
}


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        y = x.float()
        return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps) * self.weight).to(x.dtype)


def rotate(x, cos, sin):  # [B, H, T, E]; halves, as Llama's checkpoints are laid out
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.H, self.K, self.E, D = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"], c["hidden_size"]
        self.q_proj = nn.Linear(D, self.H * self.E, bias=False)
        self.k_proj = nn.Linear(D, self.K * self.E, bias=False)
        self.v_proj = nn.Linear(D, self.K * self.E, bias=False)
        self.o_proj = nn.Linear(self.H * self.E, D, bias=False)

    def forward(self, x, cos, sin):
        B, T, _ = x.shape
        q = rotate(self.q_proj(x).view(B, T, self.H, self.E).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(B, T, self.K, self.E).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(B, T, self.K, self.E).transpose(1, 2)
        k, v = k.repeat_interleave(self.H // self.K, 1), v.repeat_interleave(self.H // self.K, 1)
        y = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(B, T, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        D, Fw = c["hidden_size"], c["intermediate_size"]
        self.gate_proj, self.up_proj = nn.Linear(D, Fw, bias=False), nn.Linear(D, Fw, bias=False)
        self.down_proj = nn.Linear(Fw, D, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.mlp = MLP(c)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    def __init__(self, c=CONFIG):
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        E = c["head_dim"]
        freq = 1.0 / c["rope_theta"] ** (torch.arange(0, E, 2).float() / E)
        angle = torch.outer(torch.arange(c["max_position_embeddings"]).float(), freq)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                std = c["initializer_range"]
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    std /= (2 * c["num_hidden_layers"]) ** 0.5
                nn.init.normal_(p, 0.0, std)

    def hidden(self, ids):  # [B, T] -> [B, T, D]
        T = ids.shape[1]
        cos, sin = self.cos[:T], self.sin[:T]
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def forward(self, ids, targets):
        """Sum of the losses over all positions of ids [B, T] against targets [B, T], in nats."""
        logits = F.linear(self.hidden(ids), self.embed_tokens.weight)
        return F.cross_entropy(logits.float().view(-1, logits.shape[-1]), targets.reshape(-1), reduction="sum")


def export(model, tokenizer_dir, out, extra_files=()):
    """Writes an fp16 Hugging Face folder: every file whole (temporary file + rename); other files of the folder stay."""
    from safetensors.torch import save_file

    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {"model." + k: v.detach().to(torch.float16).contiguous() for k, v in model.named_parameters()}
    save_file(tensors, out / ".model.tmp", metadata={"format": "pt"})
    os.chmod(out / ".model.tmp", 0o644)
    os.replace(out / ".model.tmp", out / "model.safetensors")
    config = out / ".config.tmp"
    config.write_text(json.dumps(CONFIG, indent=2) + "\n")
    os.replace(config, out / "config.json")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", *extra_files):
        source = pathlib.Path(tokenizer_dir) / name
        if source.exists():
            shutil.copyfile(source, out / f".{name}.tmp")
            os.replace(out / f".{name}.tmp", out / name)
