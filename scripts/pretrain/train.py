"""Pre-trains the base model from the recipe's settings: AdamW, warm-up, constant rate, linear decay when asked; resumable at any checkpoint.

Reads recipes/pretrain-tiny.yaml (mixture weights, rates, batch), the token files of encode.py, and writes `<out>/state.pt`, `<out>/log.jsonl`
and, at intervals, the fp16 Hugging Face folder. A file `<out>/DECAY` starts the decay, which lasts a fifth of the steps done so far;
a file named by --pause-file makes the loop sleep. Rows are 256 tokens; one step in twenty has long rows (1,024 to 4,096).
A token file that appears later under a source's folder is read when the current one is used up.
The micro-batches of a step are taken by single-threaded worker processes from one queue (parameters and gradients in shared memory):
on a machine shared with others this loses far less than threads that wait for each other. Sums of gradients come in varying order.

    python train.py --recipe ../../recipes/pretrain-tiny.yaml --tokens DIR --tokenizer DIR --out DIR --export DIR
"""
import argparse
import json
import math
import os
import pathlib
import random
import signal
import time

import numpy as np
import torch
import yaml
from model import Llama, export

ROW, MICRO_ROWS = 256, 4
LONG_SHARE, LONG_ROWS, LONG_SOURCES = 0.05, (1024, 2048, 4096), ("fed", "sec", "openstax", "generated")
DECAY_SHARE = 0.2


class Stream:
    """One source's tokens in order; files in name order, new ones as they come, then again from the first, from another offset."""

    def __init__(self, folder, state=None):
        self.folder = pathlib.Path(folder)
        self.used, self.current, self.at, self.passes = (state or ([], None, 0, 0))
        self.ids = None

    def state(self):
        return [self.used, self.current, self.at, self.passes]

    def open_next(self):
        files = sorted(p.name for p in self.folder.glob("*.bin"))
        fresh = [f for f in files if f not in self.used]
        if not fresh:
            self.used, self.passes = [], self.passes + 1
            fresh = files
        self.current, self.at = fresh[0], (self.passes * 97) % ROW
        self.used = self.used + [self.current]

    def take(self, n):
        out = []
        while n:
            if self.current is None:
                self.open_next()
            if self.ids is None:
                self.ids = np.memmap(self.folder / self.current, dtype=np.uint16, mode="r")
            piece = np.asarray(self.ids[self.at:self.at + n])
            out.append(piece)
            self.at += len(piece)
            n -= len(piece)
            if self.at >= len(self.ids):
                self.current = self.ids = None
        return np.concatenate(out)


def heldout_loss(model, tokens):
    """Nats per token and bits per byte per source, on fixed rows of 256."""
    report = {}
    for path in sorted((tokens / "heldout").glob("*.bin")):
        ids = np.fromfile(path, dtype=np.uint16)
        info = json.loads(path.with_suffix(".json").read_text())
        rows = [ids[i:i + ROW + 1] for i in range(0, len(ids) - ROW - 1, ROW)][:40]
        total = 0.0
        for i in range(0, len(rows), MICRO_ROWS):
            x = torch.from_numpy(np.stack(rows[i:i + MICRO_ROWS]).astype(np.int64))
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                total += model(x[:, :-1], x[:, 1:]).item()
        nats = total / (len(rows) * ROW)
        report[path.stem] = {"loss": round(nats, 4), "bits_per_byte": round(nats / math.log(2) * info["tokens"] / info["bytes"], 4)}
    return report


def work(model, grads, tasks, results, compiled):
    """One worker: adds the gradients of the micro-batches it takes to its own shared buffers."""
    torch.set_num_threads(1)
    for p, g in zip(model.parameters(), grads):
        p.grad = g
    fast = torch.compile(model) if compiled else model
    while (task := tasks.get()) is not None:
        rows, scale = task
        x = torch.from_numpy(rows.astype(np.int64))
        with torch.autocast("cpu", torch.bfloat16):
            loss = (fast if rows.shape == (MICRO_ROWS, ROW + 1) else model)(x[:, :-1], x[:, 1:]) * scale
        loss.backward()
        results.put(loss.item())


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--recipe", required=True)
    ap.add_argument("--tokens", required=True)
    ap.add_argument("--tokenizer", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--export", required=True)
    ap.add_argument("--pause-file", default="")
    ap.add_argument("--workers", type=int, default=2)
    ap.add_argument("--compile", action="store_true", help="torch.compile for the rows of 256")
    ap.add_argument("--max-steps", type=int, default=10**9)
    a = ap.parse_args()
    recipe = yaml.safe_load(open(a.recipe))
    t, seed = recipe["train"], recipe["seed"]
    weights = {name: amount["weight"] for name, amount in recipe["mixture"].items()}
    out, tokens = pathlib.Path(a.out), pathlib.Path(a.tokens)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(seed)

    model = Llama()
    groups = [{"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": t["weight_decay"]},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=t["learning_rate"], betas=(0.9, 0.95), eps=1e-8, fused=True)
    step = seen = 0
    decay_start, states, seen_by_source = None, {}, dict.fromkeys(weights, 0)
    if (out / "state.pt").exists():
        s = torch.load(out / "state.pt", weights_only=True)
        model.load_state_dict(s["model"])
        optimizer.load_state_dict(s["optimizer"])
        step, seen, decay_start, states = s["step"], s["seen"], s["decay_start"], s["streams"]
        seen_by_source.update(s["seen_by_source"])
    streams = {name: Stream(tokens / name, states.get(name)) for name in weights}
    model.share_memory()
    parameters = list(model.parameters())
    context = torch.multiprocessing.get_context("spawn")
    tasks, results = context.SimpleQueue(), context.SimpleQueue()
    buffers = [[torch.zeros_like(p).share_memory_() for p in parameters] for _ in range(a.workers)]
    workers = [context.Process(target=work, args=(model, b, tasks, results, a.compile), daemon=True) for b in buffers]
    for worker in workers:
        worker.start()
    log = open(out / "log.jsonl", "a", buffering=1)

    def save():
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seen": seen, "decay_start": decay_start,
                    "seen_by_source": seen_by_source, "streams": {k: v.state() for k, v in streams.items()}}, out / "state.tmp")
        os.replace(out / "state.tmp", out / "state.pt")

    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))  # ends after the step, with a checkpoint
    last_save = last_export = mark = time.time()
    mark_tokens = 0
    while step < a.max_steps:
        if stop:
            save()
            raise SystemExit(0)
        while a.pause_file and os.path.exists(a.pause_file):
            time.sleep(1)
            mark, mark_tokens = time.time(), 0
        if decay_start is None and (out / "DECAY").exists():
            decay_start = step
        lr = t["learning_rate"] * min(1.0, (step + 1) / t["warmup_steps"])
        if decay_start is not None:
            left = 1 - (step - decay_start) / max(1, round(DECAY_SHARE * decay_start))
            if left <= 0:
                break
            lr *= left
        for g in optimizer.param_groups:
            g["lr"] = lr
        rng = random.Random(f"{seed}/{step}")
        length = rng.choice(LONG_ROWS) if rng.random() < LONG_SHARE else ROW
        pool = {k: w for k, w in weights.items() if length == ROW or k in LONG_SOURCES}
        num_rows = t["batch_tokens"] // length
        names = rng.choices(list(pool), list(pool.values()), k=num_rows)
        rows = []
        for name in names:
            rows.append(streams[name].take(length + 1))
            streams[name].at = max(0, streams[name].at - 1)  # the last target is the next row's first input
            seen_by_source[name] += length
        micro = max(1, MICRO_ROWS * ROW // length)
        pieces = [np.stack(rows[i:i + micro]) for i in range(0, num_rows, micro)]
        for piece in pieces:
            tasks.put((piece, 1 / (num_rows * length)))
        total = sum(results.get() for _ in pieces)
        for p, *parts in zip(parameters, *buffers):
            p.grad = torch.stack(parts).sum(0)
            for part in parts:
                part.zero_()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), t["max_grad_norm"]).item()
        optimizer.step()
        step += 1
        seen += num_rows * length
        mark_tokens += num_rows * length
        if not math.isfinite(total):
            raise SystemExit(f"train: step {step} has loss {total}. Lower train.learning_rate and resume from state.pt.")
        if step % 10 == 0:
            now = time.time()
            log.write(json.dumps({"step": step, "tokens": seen, "loss": round(total, 4), "lr": round(lr, 7), "grad_norm": round(norm, 3), "length": length,
                                  "tokens_per_s": round(mark_tokens / (now - mark)), "time": round(now)}) + "\n")
            mark, mark_tokens = now, 0
        if step % 500 == 0:
            log.write(json.dumps({"step": step, "tokens": seen, "heldout": heldout_loss(model, tokens), "seen_by_source": seen_by_source}) + "\n")
            mark = time.time()
        if time.time() - last_save > 300:
            save()
            last_save = time.time()
        if time.time() - last_export > 1200 or step == 250:
            export(model, a.tokenizer, a.export)
            last_export = time.time()
    log.write(json.dumps({"step": step, "tokens": seen, "heldout": heldout_loss(model, tokens), "seen_by_source": seen_by_source, "done": True}) + "\n")
    save()
    export(model, a.tokenizer, a.export)
    for _ in workers:
        tasks.put(None)


if __name__ == "__main__":
    main()
