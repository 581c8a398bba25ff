"""What transformers generates greedily from the tiny decoders of test/golden/models, each prompt alone; with the whole model and with its
PEFT adapter. The smallest gap between the two best logits is noted: ids can be demanded only where arithmetic cannot flip them.

Run: python test/golden/eval/greedy/make.py
"""

import json
import os
import platform

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "models")
SEED = 20261122
POSITIONS = 64
# name: model, lengths of shared beginning and of each prompt's own end, new tokens, positions of the network
CASES = {
    **{name: (name, 9, [1, 4, 7, 2, 13], 20, POSITIONS) for name in ["llama", "llama3", "mistral", "qwen2", "qwen3", "phi3", "phi3-long", "gemma2"]},
    "phi3-long-within": ("phi3-long", 2, [1, 2, 1], 3, 7),
}


def adapted(model, name):
    settings = json.load(open(os.path.join(MODELS, name, "expected.json")))["settings"]
    config = LoraConfig(task_type="CAUSAL_LM", r=settings["r"], lora_alpha=settings["lora_alpha"], lora_dropout=0.0, target_modules="all-linear")
    wrapped = get_peft_model(model, config)
    tensors = load_file(os.path.join(MODELS, name, "expected.safetensors"))
    with torch.no_grad():
        for parameter, p in wrapped.named_parameters():
            if ".lora_" in parameter:
                p.copy_(tensors["lora.init." + parameter.replace(".default", "")])
    return wrapped


def greedy(model, prompts, new):
    rows, gap = [], float("inf")
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=new, min_new_tokens=new, eos_token_id=None, pad_token_id=1, output_logits=True, return_dict_in_generate=True)
        rows.append(out.sequences[0, len(prompt) :].tolist())
        for logits in out.logits:
            best = logits[0].topk(2).values
            gap = min(gap, (best[0] - best[1]).item())
    return {"ids": rows, "smallest_gap": gap}


torch.set_num_threads(1)
expected = {}
for case, (name, shared, own, new, positions) in CASES.items():
    g = torch.Generator().manual_seed(SEED)
    load = lambda: AutoModelForCausalLM.from_pretrained(os.path.join(MODELS, name, "model"), attn_implementation="eager").float().eval()
    model = load()
    draw = lambda n: torch.randint(2, model.config.vocab_size, (n,), generator=g).tolist()
    beginning = draw(shared)
    prompts = [beginning + draw(n) for n in own]
    expected[case] = {"model": name, "positions": positions, "prompts": prompts, "full": greedy(model, prompts, new), "lora": greedy(adapted(load(), name), prompts, new)}


def write(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(value, f)
        f.write("\n")


write("expected.json", expected)
versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
write("provenance.json", {"command": "python test/golden/eval/greedy/make.py", "versions": versions, "seed": SEED})
