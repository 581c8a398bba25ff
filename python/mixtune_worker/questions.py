"""What a finished model answers: log-probabilities of labels and gold answers, their shared prefix read once; greedy text in batches."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from .checkpoint import save_numbers
from .errors import Interrupted
from .files import write_whole
from .messages import say
from .model import Model
from .packs import lay_tree
from .prepared import Prepared, Split
from .run_dir import RunDir

BATCH_ROWS = 32


@torch.no_grad()
def answer(prepared: Prepared, model: Model, run: RunDir, step: int, is_stopped) -> None:
    questions = prepared.json["questions"]
    folder = run.path / "answers"
    folder.mkdir(exist_ok=True)
    splits = [prepared.question(question) for question in questions]
    total = sum(len(split.items) for split in splits)
    tests = sorted({question["task"] for question in questions if question["opens_test"]})
    say("progress", phase="load", done=0, total=total, unit="examples", **({"opens_test": tests} if tests else {}))
    before = 0
    for question, split in zip(questions, splits, strict=True):
        path = folder / f"{question['task']}.{question['split']}.safetensors"
        metadata = {"prepared": prepared.files[question["file"]], "step": str(step)}
        tensors: dict[str, np.ndarray] = {}

        def report(done: int) -> None:
            run.beat()
            say("progress", phase="eval", done=before + done, total=total, unit="examples")
            if is_stopped():
                raise Interrupted

        asks = question["asks"]
        if asks["labels"]:
            tensors["label_logprobs"] = label_logprobs(model, split, report)
        if asks["gold"]:
            tensors["gold_logprobs"] = gold_logprobs(model, split, report)
        if asks["text"] is not None:
            tensors |= written(model, split, asks["text"], prepared.json["max_positions"], report)
        write_whole(path, save_numbers(tensors, metadata))
        before += len(split.items)


def label_logprobs(model: Model, split: Split, report) -> np.ndarray:
    scores = np.zeros((len(split.items), len(split.labels)))
    done = 0
    for pack in split.label_packs:
        laid = lay_tree(split.items, pack, lambda _: split.labels)
        nll = model.nll(laid).double().cpu().numpy()
        np.subtract.at(scores, (pack.item[laid.entry], laid.branch), nll)
        done += len(pack)
        report(done)
    return scores


def gold_logprobs(model: Model, split: Split, report) -> np.ndarray:
    scores = np.zeros(len(split.items))
    done = 0
    for pack in split.gold_packs:
        laid = lay_tree(split.items, pack, lambda item: [split.items.answers[item]])
        np.subtract.at(scores, pack.item[laid.entry], model.nll(laid).double().cpu().numpy())
        done += len(pack)
        report(done)
    return scores


def written(model: Model, split: Split, asked: dict[str, Any], max_positions: int, report) -> dict[str, np.ndarray]:
    from transformers import GenerationConfig

    prompts = split.items.prompts
    order = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
    texts: list[np.ndarray] = [np.empty(0, np.int32)] * len(prompts)
    ended = np.zeros(len(prompts), np.int32)
    ends = set(asked["end_ids"])
    for start in range(0, len(order), BATCH_ROWS):
        batch = order[start : start + BATCH_ROWS]
        width = max(len(prompts[i]) for i in batch)
        room = min(asked["max_new_tokens"], max_positions - width)
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        mask = torch.zeros((len(batch), width), dtype=torch.long)
        for row, i in enumerate(batch):
            ids[row, width - len(prompts[i]) :] = torch.from_numpy(prompts[i].astype(np.int64))
            mask[row, width - len(prompts[i]) :] = 1
        config = GenerationConfig(do_sample=False, max_new_tokens=room, eos_token_id=sorted(ends), pad_token_id=sorted(ends)[0])
        whole = model.module.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config
        )[:, width:].cpu().numpy()
        for row, i in enumerate(batch):
            stop = next((k + 1 for k, id in enumerate(whole[row]) if int(id) in ends), None)
            texts[i] = whole[row][:stop].astype(np.int32)
            ended[i] = 0 if stop is not None else 1
        report(min(start + BATCH_ROWS, len(order)))
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    ids = np.concatenate(texts) if texts else np.empty(0, np.int32)
    return {"text_ids": ids.astype(np.int32), "text_offsets": offsets, "text_stopped": ended}
