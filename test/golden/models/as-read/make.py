"""What transformers makes of folders that leave something to its rules: the logits behind prompts, whether embedding and head are tied, and the
answers that it ends by itself. Every folder is ../llama/model with what its case says; src/app/models/as-read.test.ts makes the same ones.

Run: python test/golden/models/as-read/make.py
"""

import json
import os
import platform
import shutil
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from decoder_golden import write

SEED = 20261130
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
# heads: of the next token, of the same one; single: model.safetensors whose head is that of the next token beside shards that say the same as ever
CASES = {
    "tied": {},
    "own head, config says tied": {"head": "next"},
    "the same head, config says tied": {"head": "same"},
    "own head, config says untied": {"head": "next", "config": {"tie_word_embeddings": False}},
    "a single file beside shards": {"head": "next", "shards": True},
    "one end": {"generation": {"eos_token_id": ["first"]}},
    "several ends": {"generation": {"eos_token_id": ["first", "second", "third"]}},
    "several ends in config.json alone": {"config": {"eos_token_id": ["second", "first"]}},
    "generation_config.json before config.json": {"generation": {"eos_token_id": ["second"]}, "config": {"eos_token_id": ["first", "third"]}},
}


def prompts():
    g = torch.Generator().manual_seed(SEED)
    return [torch.randint(2, 97, (n,), generator=g).tolist() for n in (4, 7, 3)]


def made(folder, case, ends):
    source = os.path.join(HERE, "..", "llama", "model")
    tensors = load_file(os.path.join(source, "model.safetensors"))
    if case.get("shards"):
        names = sorted(tensors)
        parts = {f"model-{i}.safetensors": {n: tensors[n].clone() for n in names[i::2]} for i in (0, 1)}
        for name, part in parts.items():
            save_file(part, os.path.join(folder, name), {"format": "pt"})
        index = {"metadata": {}, "weight_map": {n: name for name, part in parts.items() for n in part}}
        json.dump(index, open(os.path.join(folder, "model.safetensors.index.json"), "w"))
    if "head" in case:
        tensors[HEAD] = tensors[EMBEDDING].roll(-1, 0) if case["head"] == "next" else tensors[EMBEDDING].clone()
    save_file(tensors, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    named = lambda change: {key: [ends[e] for e in value] if key == "eos_token_id" else value for key, value in change.items()}
    config = json.load(open(os.path.join(source, "config.json")))
    json.dump(config | named(case.get("config", {})), open(os.path.join(folder, "config.json"), "w"))
    if "generation" in case:
        json.dump(named(case["generation"]), open(os.path.join(folder, "generation_config.json"), "w"))


def asked(case, ends):
    folder = tempfile.mkdtemp()
    made(folder, case, ends)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    shutil.rmtree(folder)
    tied = model.lm_head.weight is model.model.embed_tokens.weight
    with torch.no_grad():
        logits = [model(torch.tensor([p])).logits[0, -1].tolist() for p in prompts()]
        answers = [model.generate(torch.tensor([p]), attention_mask=torch.ones(1, len(p)), do_sample=False, max_new_tokens=16, pad_token_id=1)[0, len(p) :].tolist() for p in prompts()]
    return {"tied": tied, "logits": [[float(f"{x:.7g}") for x in row] for row in logits], "answers": answers}


torch.set_num_threads(1)
free = asked({"generation": {"eos_token_id": []}}, {})["answers"]
# what the model writes fourth after each prompt, where nothing ends it
ends = dict(zip(("first", "second", "third"), (row[3] for row in free)))
assert len(set(ends.values())) == 3, ends
write(HERE, "expected.json", {"prompts": prompts(), "ends": ends, "free": free, "cases": {name: {**case, **asked(case, ends)} for name, case in CASES.items()}})
write(HERE, "provenance.json", {
    "command": "python test/golden/models/as-read/make.py",
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
    "seed": SEED,
    "reads": ["test/golden/models/llama/model/model.safetensors", "test/golden/models/llama/model/config.json"],
})
