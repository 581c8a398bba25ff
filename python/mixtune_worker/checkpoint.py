"""Checkpoints as src/runs/checkpoints.ts and src/train/checkpoint.ts define them: folders that are there whole or
not at all, and one index, last.json, that says which of them count. Either engine goes on from the other's."""

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .errors import MixtuneError
from .files import read_json, remove_quietly, sha256_of, sync_file, sync_folder, write_error, write_json, write_whole
from .messages import dumps
from .model import adapted_modules

OPTIMIZER_FILE = "optimizer.safetensors"
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class State:
    """What is trained and its moments, by name."""

    weights: dict[str, Tensor]
    exp_avg: dict[str, Tensor]
    exp_avg_sq: dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    step: int
    path: Path


def weight_file(train: dict[str, Any]) -> str:
    return "model.safetensors" if train["method"] == "full" else "adapter_model.safetensors"


def write_state(folder: Path, state: State, spec: dict[str, Any], model_dir: Path) -> None:
    """A checkpoint's files into an empty folder."""
    train = spec["train"]
    moments = {f"exp_avg.{name}": tensor for name, tensor in state.exp_avg.items()}
    moments |= {f"exp_avg_sq.{name}": tensor for name, tensor in state.exp_avg_sq.items()}
    for file, tensors in ((weight_file(train), state.weights), (OPTIMIZER_FILE, moments)):
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            folder / file,
            {"format": "pt"},
        )
    if train["method"] == "full":
        config = (model_dir / "config.json").read_bytes()
        says = json.loads(config)
        if "lm_head.weight" in state.weights and says.get("tie_word_embeddings", says["model_type"] == "gemma2"):
            config = (dumps(says | {"tie_word_embeddings": False}, indent=2) + "\n").encode()
        write_whole(folder / "config.json", config)
    else:
        write_whole(folder / "adapter_config.json", dumps(adapter_config(spec, state.weights), indent=2) + "\n")


def adapter_config(spec: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """:param names: of the adapter's tensors"""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": spec["model"]["name"],
        "r": spec["train"]["lora_rank"],
        "lora_alpha": spec["train"]["lora_alpha"],
        "lora_dropout": spec["train"].get("lora_dropout", 0),
        "target_modules": adapted_modules(names),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_rslora": False,
        "use_dora": spec["train"].get("use_dora", False),
    }


def read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise _damaged(path, "tensors in the safetensors format", str(error)) from error


def commit(run_dir: Path, step: int, write: Callable[[Path], object], best: bool, dev_loss: float | None) -> None:
    """Commits a checkpoint; older ones that are neither last nor best go, after the new one is safe."""
    root = run_dir / "checkpoints"
    folder = f"step-{step}"
    temp = root / f".{folder}.tmp"
    before = _index(run_dir)
    try:
        root.mkdir(parents=True, exist_ok=True)
        remove_quietly(temp)
        temp.mkdir()
        write(temp)
        for path in temp.iterdir():
            sync_file(path)
        sync_folder(temp)
        record = {"step": step, "folder": folder, "files": {p.name: sha256_of(p) for p in sorted(temp.iterdir())}}
        if dev_loss is not None:
            record["dev_loss"] = dev_loss
        named = [r for r in _records(before) if r["folder"] == folder]
        if named:
            if named[0]["files"] != record["files"]:
                raise MixtuneError(
                    str(root / folder),
                    "the same files as when this step was committed before",
                    "different ones",
                    "Delete the run's folder and run it again: something that belongs to the run has changed under it.",
                )
            remove_quietly(temp)
        else:
            remove_quietly(root / folder)
            os.replace(temp, root / folder)
            sync_folder(root)
    except OSError as error:
        remove_quietly(temp)
        raise write_error(root / folder, error) from error
    except BaseException:
        remove_quietly(temp)
        raise
    now_best = record if best else (before or {}).get("best")
    index = record | ({} if now_best is None else {"best": now_best})
    write_json(root / "last.json", index)
    if now_best is not None:
        write_json(root / "best.json", now_best)
    kept = [r["folder"] for r in _records(index)]
    for path in root.iterdir():
        if re.match(r"\.?step-", path.name) and path.name not in kept:
            remove_quietly(path)


def read_checkpoint(run_dir: Path, which: str = "last") -> Checkpoint | None:
    """The last or best checkpoint, its files compared with their digests; None if none was committed."""
    index = _index(run_dir)
    record = index if which == "last" else (index or {}).get("best")
    if record is None:
        return None
    path = run_dir / "checkpoints" / record["folder"]
    for name, digest in record["files"].items():
        got = sha256_of(path / name) if (path / name).exists() else None
        if got != digest:
            raise _damaged(
                path / name,
                f"the file with SHA-256 {digest[:12]}…",
                "no file" if got is None else f"SHA-256 {got[:12]}…",
            )
    return Checkpoint(record["step"], path)


def evaluated_checkpoint(run_dir: Path, train: dict[str, Any]) -> Checkpoint:
    """
    The checkpoint that a run is scored with.

    :raises MixtuneError: it was not kept
    """
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


def keep_checkpoints(run_dir: Path, keep: str) -> None:
    """
    What stays of a finished run, by the rule of src/runs/checkpoints.ts; may be repeated. The optimizer's moments go
    in any case.
    """
    root = run_dir / "checkpoints"
    index = _index(run_dir)
    if index is None:
        return
    best = index.get("best")
    last = {key: value for key, value in index.items() if key != "best"}
    kept: dict[str, Any] | None
    if keep == "none":
        kept = None
    else:
        kept = _without_moments(best if keep == "best" and best else last)
        if best is not None and keep != "last":
            kept |= {"best": _without_moments(best)}
    if kept is None:
        remove_quietly(root / "last.json")
    else:
        write_json(root / "last.json", kept)
    if kept is None or "best" not in kept:
        remove_quietly(root / "best.json")
    else:
        write_json(root / "best.json", kept["best"])
    named = [record["folder"] for record in _records(kept)]
    for path in root.iterdir():
        if re.match(r"\.?step-", path.name) and path.name not in named:
            remove_quietly(path)
    for folder in named:
        remove_quietly(root / folder / OPTIMIZER_FILE)


def _without_moments(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"files": {name: digest for name, digest in record["files"].items() if name != OPTIMIZER_FILE}}


def _index(run_dir: Path) -> dict[str, Any] | None:
    path = run_dir / "checkpoints" / "last.json"
    index = read_json(path)
    for record in _records(index):
        try:
            names = [record["folder"], *record["files"]]
            sound = all(PLAIN_NAME.fullmatch(name) for name in names) and record["step"] >= 0
        except (TypeError, KeyError, AttributeError):
            sound = False
        if not sound:
            raise _damaged(path, "step, folder and files of a checkpoint", dumps(record)[:200])
    return index


def _records(index: Any) -> list[Any]:
    if index is None:
        return []
    best = index.get("best") if isinstance(index, dict) else None
    return [index] if best is None else [index, best]


def _damaged(path: Path, expected: str, got: str) -> MixtuneError:
    return MixtuneError(
        str(path),
        expected,
        got,
        "Restore the file, or delete the run's folder and start the study again: the run is then trained from its "
        "beginning.",
    )
