"""What mixtune trained, loaded by transformers and PEFT: the label log-probabilities in its predictions must come out again.

    python scripts/ci/interop.py RUN_DIR BASE_MODEL_DIR

RUN_DIR was evaluated with eval.keep_prompts: true. Tokenizer, template, adapter or weights, and scoring are all checked at once.
"""

import glob
import json
import os
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 2e-3
MAX_ROWS = 10


torch.set_num_threads(1)


def load(run, base):
    with open(os.path.join(run, "checkpoints", "last.json")) as f:
        folder = os.path.join(run, "checkpoints", json.load(f)["folder"])
    if os.path.exists(os.path.join(folder, "adapter_config.json")):
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        return PeftModel.from_pretrained(model, folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def log_probability(model, tokenizer, prompt, answer):
    """Sum of log p over the answer's tokens and the end-of-text token, prompt and answer tokenised apart."""
    head = tokenizer(prompt, add_special_tokens=False).input_ids
    tail = tokenizer(answer, add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
    logits = model(torch.tensor([head + tail])).logits[0, len(head) - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(tail)[:, None]).sum().item()


def main(run, base):
    model, tokenizer = load(run, base).eval(), AutoTokenizer.from_pretrained(base)
    worst, count = 0.0, 0
    for path in sorted(glob.glob(os.path.join(run, "predictions", "*.test.jsonl"))):
        with open(path) as f:
            rows = [json.loads(line) for line in f][:MAX_ROWS]
        for row in rows:
            for label, expected in row["label_logprobs"].items():
                with torch.no_grad():
                    actual = log_probability(model, tokenizer, row["prompt"], f" {label}")
                worst, count = max(worst, abs(actual - expected)), count + 1
    print(f"interop: {os.path.basename(run)}: {count} label scores, largest difference {worst:.2e} nats (at most {TOLERANCE})")
    return count > 0 and worst <= TOLERANCE


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
