"""The tiny Llama of the case beside this one, saved by transformers in shards of bfloat16 and of float16, and its exact values as float32."""

import json
import os
import platform
import shutil

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

folder = os.path.dirname(os.path.abspath(__file__))
for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
    model = AutoModelForCausalLM.from_pretrained(os.path.join(folder, "..", "llama", "model"), dtype=dtype)
    shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    model.save_pretrained(os.path.join(folder, name), max_shard_size="10KB")
    tensors = {key: value.float().contiguous() for key, value in model.state_dict().items() if key != "lm_head.weight"}
    save_file(tensors, os.path.join(folder, f"{name}.expected.safetensors"))
    extra = os.path.join(folder, name, "generation_config.json")
    if os.path.exists(extra):
        os.remove(extra)
provenance = {
    "command": "python test/golden/models/shards/make.py",
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
}
with open(os.path.join(folder, "provenance.json"), "w") as f:
    json.dump(provenance, f, indent=1)
    f.write("\n")
