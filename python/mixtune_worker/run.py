"""One prepared run, from beginning to end: train what is not trained, ask what is not answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from .checkpoint import Checkpoint, read_checkpoint, read_tensors, weight_file
from .errors import MixtuneError
from .files import read_json
from .memory import free_memory
from .messages import say
from .model import Model, choose_device, open_model
from .prepared import Prepared
from .questions import Asker
from .run_dir import Status, read_metrics, reset_peak_memory, write_receipt
from .train import Training, notes_of


def run(folder: Path, run_dir: Path, stop: Callable[[], bool]) -> None:
    """
    Does a prepared run.

    :raises DamagedRun: it cannot be read
    :raises Interrupted: what was worth keeping is saved
    """
    prepared = Prepared(folder)
    settings = prepared.json
    torch.set_num_threads(settings["threads"])
    device = choose_device(settings["device"])
    free_memory()
    reset_peak_memory(device)
    torch.use_deterministic_algorithms(device.type == "cpu")
    if not run_dir.is_dir():
        raise MixtuneError(str(run_dir), "the run's folder", "no such folder", "Make it, or give the folder that mixtune made.")
    with Status(run_dir) as status:
        say("progress", phase="load", done=0, total=1, unit="steps")
        model: Model | None = None
        if settings["train"] is not None and read_json(run_dir / "receipt.json") is None:
            model = _train(prepared, run_dir, device, stop, status)
        if settings["questions"]:
            _ask(prepared, run_dir, device, stop, model)


def _train(prepared: Prepared, run_dir: Path, device: torch.device, stop: Callable[[], bool], status: Status) -> Model:
    settings = prepared.json
    shapes = {parameter["name"]: parameter["shape"] for parameter in settings["train"]["parameters"]}
    model = open_model(settings, device, shapes)
    prepared.vocab_size = model.vocab_size
    Training(prepared, run_dir, model, stop, status.at).run()
    spec = settings["spec"]
    flops = model.num_block_weights * (6 if spec["train"]["method"] == "full" else 4)
    write_receipt(run_dir, device, spec["seed"], settings["threads"], flops, notes_of(read_metrics(run_dir)))
    return model


def _ask(prepared: Prepared, run_dir: Path, device: torch.device, stop: Callable[[], bool], model: Model | None) -> None:
    settings = prepared.json
    step = 0
    if settings["spec"] is None:
        model = open_model(settings, device, None)
    else:
        train = settings["spec"]["train"]
        checkpoint = _evaluated(run_dir, train)
        path = checkpoint.path / weight_file(train)
        if model is None:
            with safe_open(path, "np") as file:
                model = open_model(settings, device, {name: file.get_slice(name).get_shape() for name in file.keys()})
        model.load(read_tensors(path), path)
        step = checkpoint.step
    prepared.vocab_size = model.vocab_size
    model.net.requires_grad_(False)
    Asker(prepared, run_dir, model, step, stop).run()


def _evaluated(run_dir: Path, train: dict[str, Any]) -> Checkpoint:
    best = read_checkpoint(run_dir, "best") if train["evaluate"] == "best" else None
    checkpoint = best or read_checkpoint(run_dir)
    if checkpoint is None:
        raise MixtuneError(
            str(run_dir),
            "the weights of the trained run",
            f"none (train.keep: {train['keep']})",
            "Delete the run's folder to train it again, with train.keep: last or best.",
        )
    return checkpoint
