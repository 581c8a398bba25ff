"""One prepared run, from beginning to end: train what is not trained, ask what is not answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from .checkpoint import evaluated_checkpoint, read_tensors, weight_file
from .errors import MixtuneError
from .files import read_json
from .memory import Thrift, free_memory
from .messages import say
from .model import Model, choose_device, open_model
from .prepared import Prepared
from .questions import Asker
from .ranks import ALONE, Ranks, joined
from .run_dir import Status, peak_memory_bytes, read_metrics, reset_peak_memory, write_receipt
from .train import Training, notes_of


@dataclass(frozen=True)
class Run:
    """A prepared run under way."""

    prepared: Prepared
    run_dir: Path
    device: torch.device
    stop: Callable[[], bool]
    ranks: Ranks = ALONE
    thrift: Thrift | None = None  # that training begins with; None: as its last step
    parts: int = 1  # of packs in scoring


def run(folder: Path, run_dir: Path, stop: Callable[[], bool]) -> None:
    """
    Does a prepared run.

    :raises DamagedRun: it cannot be read
    :raises Interrupted: what was worth keeping is saved
    """
    prepared = Prepared(folder)
    _do(Run(prepared, run_dir, choose_device(prepared.json["device"]), stop))


def run_rank(task: dict[str, Any], stop: Callable[[], bool]) -> None:
    """
    One rank's part of a prepared run, as team.py gives it.

    :raises Again: memory ran out
    """
    prepared = Prepared(Path(task["prepared"]))
    device = choose_device(prepared.json["device"])
    thrift = Thrift(*task["thrift"]) if "thrift" in task else None
    with joined(task["rank"], task["ranks"], task["meeting"], device) as ranks:
        _do(Run(prepared, Path(task["run"]), device, lambda: ranks.any(stop()), ranks, thrift, task.get("parts", 1)))


def _do(run: Run) -> None:
    settings, ranks = run.prepared.json, run.ranks
    torch.set_num_threads(settings["threads"])
    free_memory()
    reset_peak_memory(run.device)
    torch.use_deterministic_algorithms(run.device.type == "cpu")
    if not run.run_dir.is_dir():
        raise MixtuneError(
            str(run.run_dir), "the run's folder", "no such folder", "Make it, or give the folder that mixtune made."
        )
    with Status(run.run_dir) if ranks.is_first else nullcontext() as status, _compiling(settings["compile"]):
        say("progress", phase="load", done=0, total=1, unit="steps")
        model: Model | None = None
        if settings["train"] is not None and ranks.of_first(read_json(run.run_dir / "receipt.json") is None):
            model = _train(run, status.at if status else lambda *_: None)
        if settings["questions"]:
            _ask(run, model)


@contextmanager
def _compiling(is_asked: bool) -> Iterator[None]:
    """:raises MixtuneError: the machine has no compiler, or none that can do it"""
    try:
        yield
    except Exception as error:
        if not is_asked or not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reasons = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
        raise MixtuneError(
            "--compile",
            "blocks that PyTorch can compile on this machine",
            f"{type(error).__name__}: {' '.join(reasons[:2])[:300]}",
            "Install a C++ compiler (g++), or leave --compile out: the same command goes on from the last checkpoint.",
        ) from error


def _train(run: Run, on_step: Callable[[int, int], None]) -> Model:
    settings, ranks = run.prepared.json, run.ranks
    shapes = {parameter["name"]: parameter["shape"] for parameter in settings["train"]["parameters"]}
    model = open_model(settings, run.device, shapes, ranks)
    run.prepared.vocab_size = model.vocab_size
    Training(run.prepared, run.run_dir, model, run.stop, on_step, ranks, run.thrift).run()
    spec = settings["spec"]
    flops = model.num_block_weights * (6 if spec["train"]["method"] == "full" else 4)
    peak = max(ranks.gather(peak_memory_bytes(run.device)))
    if ranks.is_first:
        notes = notes_of(read_metrics(run.run_dir))
        write_receipt(run.run_dir, run.device, ranks.count, peak, spec["seed"], settings["threads"], flops, notes)
    return model


def _ask(run: Run, model: Model | None) -> None:
    settings, run_dir, device, ranks = run.prepared.json, run.run_dir, run.device, run.ranks
    step = 0
    if settings["spec"] is None:
        model = open_model(settings, device, None, ranks)
    else:
        train = settings["spec"]["train"]
        checkpoint = evaluated_checkpoint(run_dir, train)
        path = checkpoint.path / weight_file(train)
        if model is None:
            with safe_open(path, "np") as file:
                shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (no dict)
                model = open_model(settings, device, shapes, ranks)
        model.load(read_tensors(path), path)
        step = checkpoint.step
    run.prepared.vocab_size = model.vocab_size
    model.net.requires_grad_(False)
    Asker(run.prepared, run_dir, model, step, run.stop, ranks, run.parts).run()
