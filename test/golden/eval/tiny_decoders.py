"""The tiny decoders of test/golden/models, whole or with their PEFT adapter, and how a case writes its files. Used by the make.py of several cases."""

import json
import os
import platform

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
MODELS = os.path.join(ROOT, "test", "golden", "models")
NAMES = ["llama", "llama3", "mistral", "qwen2", "qwen3", "phi3", "phi3-long", "gemma2"]
TINY = "assets/tiny"


def load_folder(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").float().eval()


def load(name):
    return load_folder(os.path.join(MODELS, name, "model"))


def adapted(name, method="lora"):
    settings = json.load(open(os.path.join(MODELS, name, "expected.json")))["settings"]
    config = LoraConfig(task_type="CAUSAL_LM", r=settings["r"], lora_alpha=settings["lora_alpha"], lora_dropout=0.0, target_modules="all-linear", use_dora=method == "dora")
    wrapped = get_peft_model(load(name), config)
    tensors = load_file(os.path.join(MODELS, name, "expected.safetensors"))
    with torch.no_grad():
        for parameter, p in wrapped.named_parameters():
            if ".lora_" in parameter:
                saved = parameter.replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").replace(".default", "")
                p.copy_(tensors[f"{method}.init.{saved}"])
    return wrapped


def write(folder, expected, seed, reads=()):
    """`reads`: files outside the case, by their path from the root; golden:verify asks for the case to be made again when one of them changes."""
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    provenance = {"command": f"python test/golden/eval/{os.path.basename(folder)}/make.py", "versions": versions, "seed": seed}
    if reads:
        provenance["reads"] = list(reads)
    for name, value in [("expected.json", expected), ("provenance.json", provenance)]:
        with open(os.path.join(folder, name), "w") as f:
            json.dump(value, f)
            f.write("\n")
