"""What mixtune trained, loaded by transformers and PEFT: the label log-probabilities in its predictions must come out
again.

    python scripts/ci/interop.py RUN_DIR BASE_MODEL_DIR [EXPORT_DIR...] [-- RUN_DIR ...]

RUN_DIR was evaluated with eval.keep_prompts: true. Tokenizer, template, adapter or weights, and scoring are all checked
at once. EXPORT_DIRs are what mixtune export wrote of the run, in PEFT's or Hugging Face's layout (--dtype f32): loaded
with the tokenizer and template that lie in them, they must give the run's scores and the logits of its checkpoint.
"""

import glob
import json
import os
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 2e-3
# of logits, as a share of the largest one
LOGIT_TOLERANCE = 1e-4
MAX_ROWS = 10


torch.set_num_threads(1)


def checkpoint(run):
    with open(os.path.join(run, "checkpoints", "last.json")) as f:
        return os.path.join(run, "checkpoints", json.load(f)["folder"])


def load(folder, base):
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


def read_rows(run):
    rows = []
    for path in sorted(glob.glob(os.path.join(run, "predictions", "*.test.jsonl"))):
        with open(path) as f:
            rows += [json.loads(line) for line in f][:MAX_ROWS]
    return rows


def check_scores(name, model, tokenizer, rows):
    worst, count = 0.0, 0
    for row in rows:
        for label, expected in row["label_logprobs"].items():
            with torch.no_grad():
                actual = log_probability(model, tokenizer, row["prompt"], answer_text(tokenizer, label))
            worst, count = max(worst, abs(actual - expected)), count + 1
    print(f"interop: {name}: {count} label scores, largest difference {worst:.2e} nats (at most {TOLERANCE})")
    return count > 0 and worst <= TOLERANCE


def check_logits(name, model, reference, tokenizer, rows):
    worst = 0.0
    for row in rows:
        ids = torch.tensor([tokenizer(row["prompt"], add_special_tokens=False).input_ids])
        with torch.no_grad():
            expected, actual = reference(ids).logits, model(ids).logits
        worst = max(worst, ((actual - expected).abs().max() / expected.abs().max()).item())
    print(
        f"interop: {name}: logits of {len(rows)} prompts, "
        f"largest difference {worst:.2e} of the largest (at most {LOGIT_TOLERANCE})"
    )
    return worst <= LOGIT_TOLERANCE


def main(run, base, *exports):
    name = f"{os.path.basename(base.rstrip('/'))}, {os.path.basename(run)}"
    rows, reference = read_rows(run), load(checkpoint(run), base).eval()
    results = [check_scores(name, reference, AutoTokenizer.from_pretrained(base), rows)]
    for export in exports:
        model, tokenizer = load(export, base).eval(), AutoTokenizer.from_pretrained(export)
        label = f"{name}, {os.path.basename(export)}"
        results += [check_scores(label, model, tokenizer, rows), check_logits(label, model, reference, tokenizer, rows)]
    return all(results)


if __name__ == "__main__":
    groups = " ".join(sys.argv[1:]).split(" -- ")  # temporary folders have no spaces
    passed = [main(*group.split()) for group in groups]
    sys.exit(0 if all(passed) else 1)
