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
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
        return PeftModel.from_pretrained(model, folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def answer_text(tokenizer, label):
    """A label as it follows a rendered prompt, its end-of-turn token included."""
    if tokenizer.chat_template is None:
        return f" {label}{tokenizer.eos_token}"
    chat = [{"role": "user", "content": "question"}, {"role": "assistant", "content": label}]
    opened = tokenizer.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(chat, tokenize=False)
    assert whole.startswith(opened)
    start = whole.index(label, len(opened)) + len(label)
    marks = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    return whole[len(opened) : min(whole.index(mark, start) + len(mark) for mark in marks if mark in whole[start:])]


def log_probability(model, tokenizer, prompt, answer):
    """Sum of log p over the answer's tokens as they follow the prompt's."""
    head, whole = (tokenizer(text, add_special_tokens=False).input_ids for text in (prompt, prompt + answer))
    assert whole[: len(head)] == head
    tail = whole[len(head) :]
    logits = model(torch.tensor([whole])).logits[0, len(head) - 1 : -1]
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
                    actual = log_probability(model, tokenizer, row["prompt"], answer_text(tokenizer, label))
                worst, count = max(worst, abs(actual - expected)), count + 1
    name = f"{os.path.basename(base.rstrip('/'))}, {os.path.basename(run)}"
    print(f"interop: {name}: {count} label scores, largest difference {worst:.2e} nats (at most {TOLERANCE})")
    return count > 0 and worst <= TOLERANCE


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
