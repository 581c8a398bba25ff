"""mixtune's worker on its prepared run: its own training loop, from reading the folder to writing metrics.jsonl;
only the weights are made up."""

import shutil
from pathlib import Path

import torch
from mixtune_worker.attention import BLOCK, NAME, has_flex
from mixtune_worker.model import HEAD_ROWS, model_of
from mixtune_worker.packs import lay_tree
from mixtune_worker.prepared import Prepared
from mixtune_worker.run_dir import read_metrics
from mixtune_worker.train import Training

from engine import random_net


def train(turns, settings, name):
    torch.use_deterministic_algorithms(turns.device.type == "cpu")  # as a run has it
    prepared, run_dir = Prepared(Path(settings["prepared"])), Path(settings["runDir"] + "-of-" + name)
    shutil.copytree(settings["runDir"], run_dir)
    prepared.json["compile"] = name == "ours-compiled"
    shapes = {parameter["name"]: parameter["shape"] for parameter in prepared.json["train"]["parameters"]}
    model = model_of(random_net(settings, NAME), prepared.json, turns.device, shapes)
    prepared.vocab_size = model.vocab_size

    def stopped():
        turns.over(lambda: read_metrics(run_dir)[-1]["loss"])
        return False

    training = Training(prepared, run_dir, model, stopped, lambda *_: None)
    turns.say(steps=[counts(training, step) for step in range(len(training.data.learning_rate))])
    turns.wait()
    training.run()


def counts(training, step):
    """Of one step: real tokens, tokens through the net, and operations, executed and useful."""
    data, model = training.data, training.model
    packs = data.packs[data.steps[step] : data.steps[step + 1]]
    laid = [lay_tree(data.items, entries, lambda item: [data.items.answers[item]]) for entries in packs]
    lengths = [data.items.num_tokens(int(item)) for entries in packs for item in entries.item]
    pad = 2 * BLOCK if has_flex(model.device) else 1
    executed = [-(-len(pack.ids) // pad) * pad for pack in laid]
    rows = [len(pack.rows) for pack in laid]
    again = sum(r for r in rows if r > HEAD_ROWS)  # logits made again for the backward pass
    config = model.net.config
    return {
        "examples": len(lengths),
        "realTokens": sum(lengths),
        "executedTokens": sum(executed),
        "packs": len(packs),
        "executedFlops": flops(
            model, sum(executed), sum(int((pack.ends - range(len(pack.ids))).sum()) for pack in laid), sum(rows)
        )
        + 2 * again * config.hidden_size * config.vocab_size,
        "usefulFlops": flops(model, sum(n - 1 for n in lengths), sum(n * (n - 1) // 2 for n in lengths), sum(rows)),
    }


def flops(model, tokens, pairs, rows):
    """
    Operations of a forward and a backward pass of an adapter: 4 per frozen weight and token, 6 per trained one.

    :param pairs: (query, key) that see each other; FlexAttention computes whole blocks around them, which do not count
    """
    config = model.net.config
    trained = sum(parameter.numel() for parameter in model.trained.values())
    width = config.num_attention_heads * (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    attention = 12 * pairs * width * config.num_hidden_layers
    return (
        tokens * (4 * model.num_block_weights + 6 * trained)
        + attention
        + 4 * rows * config.hidden_size * config.vocab_size
    )
