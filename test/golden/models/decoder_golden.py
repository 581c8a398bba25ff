"""What transformers and PEFT say of a tiny decoder: logits, loss, every gradient, ten AdamW steps, full, LoRA and DoRA. Used by the make.py of each case."""

import json
import os
import platform

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

SEED = 20241001
STEPS = 10
LORA = {"r": 3, "lora_alpha": 5}
FULL_RATE, LORA_RATE = 3e-3, 1e-2
WEIGHT_DECAY, MAX_NORM = 0.05, 0.7


def examples(vocab):
    """Two instructions shared by several examples each, and one example of its own; prompt and answer ids."""
    g = torch.Generator().manual_seed(SEED)
    ids = lambda n: torch.randint(2, vocab, (n,), generator=g).tolist()
    first, second = ids(5), ids(3)
    out = [{"prompt": first + ids(n), "answer": ids(m) + [0]} for n, m in [(2, 1), (4, 2), (1, 1)]]
    out += [{"prompt": second + ids(n), "answer": ids(m) + [0]} for n, m in [(7, 1), (3, 3)]]
    return out + [{"prompt": ids(4), "answer": ids(1) + [0]}]


def batch_loss(model, batch, pad_to):
    """Mean negative log-likelihood over all answer tokens of the batch, each example alone, padded to pad_to tokens at its end (which causal
    attention hides, but which longrope counts); and the logits that predict them."""
    total, count, rows = 0.0, 0, []
    for e in batch:
        ids = e["prompt"] + e["answer"]
        logits = model(torch.tensor([ids + [1] * (pad_to - len(ids))])).logits[0, len(e["prompt"]) - 1 : len(ids) - 1]
        target = torch.tensor(e["answer"])
        total = total + torch.nn.functional.cross_entropy(logits, target, reduction="sum")
        count += len(target)
        rows.append(logits.detach())
    return total / count, torch.cat(rows)


def decay_groups(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]


def ten_steps(model, batch, rate, pad_to):
    optimizer = torch.optim.AdamW(decay_groups(model), lr=rate, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss, _ = batch_loss(model, batch, pad_to)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def make(folder, config, pad_to=0):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.add_(torch.randn_like(p) * (0.2 if p.dim() > 1 else 0.1))
    model_dir = os.path.join(folder, "model")
    model.save_pretrained(model_dir)
    for extra in ("generation_config.json",):
        path = os.path.join(model_dir, extra)
        if os.path.exists(path):
            os.remove(path)
    batch = examples(config.vocab_size)
    tensors, numbers = {}, {}

    loss, logits = batch_loss(model, batch, pad_to)
    loss.backward()
    numbers["loss"] = loss.item()
    tensors["logits"] = logits
    for name, p in model.named_parameters():
        tensors[f"full.{name}"] = p.grad.clone()
    model.zero_grad()
    numbers["full_losses"], numbers["full_norms"] = ten_steps(model, batch, FULL_RATE, pad_to)

    for key in ("lora", "dora"):
        adapt(key, model_dir, batch, pad_to, tensors, numbers)

    settings = {"full_rate": FULL_RATE, "lora_rate": LORA_RATE, "weight_decay": WEIGHT_DECAY, "max_grad_norm": MAX_NORM, **LORA}
    save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(folder, "expected.safetensors"))
    write(folder, "expected.json", {"settings": settings, "examples": batch, **numbers})
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
    }
    case = os.path.basename(folder)
    write(folder, "provenance.json", {"command": f"python test/golden/models/{case}/make.py", "versions": versions, "seed": SEED})


def adapt(key, model_dir, batch, pad_to, tensors, numbers):
    """Adds what an adapter's model says, its B's drawn; with DoRA its magnitudes are moved from PEFT's first ones."""
    model = AutoModelForCausalLM.from_pretrained(model_dir, attn_implementation="eager").float()
    config = LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, target_modules="all-linear", use_dora=key == "dora", **LORA)
    adapted = get_peft_model(model, config)
    trained = {saved_name(name): p for name, p in adapted.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for name, p in trained.items():
            if "lora_B" in name:
                p.copy_(torch.randn_like(p) * 0.1)
            if "magnitude" in name:
                tensors[f"{key}.first.{name}"] = p.detach().clone()
                p.mul_(1 + 0.2 * torch.randn_like(p))
    for name, p in trained.items():
        tensors[f"{key}.init.{name}"] = p.detach().clone()
    loss, logits = batch_loss(adapted, batch, pad_to)
    loss.backward()
    numbers[f"{key}_loss"] = loss.item()
    tensors[f"{key}.logits"] = logits
    for name, p in trained.items():
        tensors[f"{key}.grad.{name}"] = p.grad.clone()
    adapted.zero_grad()
    numbers[f"{key}_losses"], numbers[f"{key}_norms"] = ten_steps(adapted, batch, LORA_RATE, pad_to)


def saved_name(name):
    return name.replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").replace(".default", "")


def write(folder, name, value):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")
