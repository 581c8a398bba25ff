"""What transformers generates greedily from the tiny decoders of test/golden/models, each prompt alone; with the whole model and with its
PEFT adapters. The smallest gap between the two best logits is noted: ids can be demanded only where arithmetic cannot flip them.

Run: python test/golden/eval/greedy/make.py
"""

import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tiny_decoders import NAMES, adapted, load, write

SEED = 20261122
POSITIONS = 64
# name: model, lengths of shared beginning and of each prompt's own end, new tokens, positions of the network
CASES = {
    **{name: (name, 9, [1, 4, 7, 2, 13], 20, POSITIONS) for name in NAMES},
    "phi3-long-within": ("phi3-long", 2, [1, 2, 1], 3, 7),
}


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
    model = load(name)
    draw = lambda n: torch.randint(2, model.config.vocab_size, (n,), generator=g).tolist()
    beginning = draw(shared)
    prompts = [beginning + draw(n) for n in own]
    expected[case] = {"model": name, "positions": positions, "prompts": prompts, "full": greedy(model, prompts, new)}
    expected[case] |= {method: greedy(adapted(name, method), prompts, new) for method in ("lora", "dora")}

write(HERE, expected, SEED)
