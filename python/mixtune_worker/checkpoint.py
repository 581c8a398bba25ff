"""Checkpoints as src/runs/checkpoints.ts and src/train/checkpoint.ts define them: readable by both engines."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save

from .errors import MixtuneError
from .files import read_json, remove_quietly, sha256_of, sync_file, sync_folder, write_json

OPTIMIZER_FILE = "optimizer.safetensors"
State = dict[str, torch.Tensor]


def weight_file(spec: dict[str, Any]) -> str:
    return "model.safetensors" if spec["method"] == "full" else "adapter_model.safetensors"


def read_checkpoint(run: Path, which: str = "last") -> tuple[int, Path] | None:
    """Step and folder of the last or best checkpoint, its files compared with their digests."""
    root = run / "checkpoints"
    index = read_json(root / "last.json")
    record = index if which == "last" or index is None else index.get("best")
    if record is None:
        return None
    folder = root / record["folder"]
    for name, digest in record["files"].items():
        path = folder / name
        got = sha256_of(path) if path.exists() else None
        if got != digest:
            raise MixtuneError(
                str(path),
                f"the file with SHA-256 {digest[:12]}…",
                "no file" if got is None else f"SHA-256 {got[:12]}…",
                "Restore the file, or delete the run's checkpoints folder: the run then starts from its beginning.",
            )
    return record["step"], folder


def read_tensors(path: Path, parameters: list[dict[str, Any]], prefix: str = "") -> State:
    tensors = load_file(path)
    found = {}
    for one in parameters:
        tensor = tensors.get(prefix + one["name"])
        if tensor is None or list(tensor.shape) != one["shape"]:
            raise MixtuneError(
                f"{path}: tensor {prefix}{one['name']}",
                f"{one['shape']}, as the run's spec and model say",
                "no such tensor" if tensor is None else str(list(tensor.shape)),
                "The checkpoint belongs to another run or model: give the folder that the run wrote.",
            )
        found[one["name"]] = tensor.float()
    return found


def commit(
    run: Path, step: int, spec: dict[str, Any], model_dir: str, base_model: str, weights: State, moments: tuple[State, State],
    best: bool, dev_loss: float | None,
) -> None:
    """Fills a temp folder, syncs, renames, writes last.json, then best.json, then removes what neither names."""
    root = run / "checkpoints"
    root.mkdir(parents=True, exist_ok=True)
    folder = f"step-{step}"
    temp = root / f".{folder}.tmp"
    remove_quietly(temp)
    temp.mkdir()
    before = read_json(root / "last.json")
    (temp / weight_file(spec)).write_bytes(save(weights, {"format": "pt"}))
    named = {f"exp_avg.{name}": one for name, one in moments[0].items()} | {f"exp_avg_sq.{name}": one for name, one in moments[1].items()}
    (temp / OPTIMIZER_FILE).write_bytes(save(named, {"format": "pt"}))
    if spec["method"] == "full":
        (temp / "config.json").write_bytes((Path(model_dir) / "config.json").read_bytes())
    else:
        (temp / "adapter_config.json").write_text(adapter_config(spec, base_model, list(weights)))
    files = {}
    for path in sorted(temp.iterdir()):
        sync_file(path)
        files[path.name] = sha256_of(path)
    sync_folder(temp)
    record: dict[str, Any] = {"step": step, "folder": folder, "files": files}
    if dev_loss is not None:
        record["dev_loss"] = dev_loss
    remove_quietly(root / folder)
    os.replace(temp, root / folder)
    sync_folder(root)
    now_best = record if best else (before or {}).get("best")
    index = record if now_best is None else {**record, "best": now_best}
    write_json(root / "last.json", index)
    if now_best is not None:
        write_json(root / "best.json", now_best)
    kept = {folder} | ({now_best["folder"]} if now_best is not None else set())
    for path in root.iterdir():
        if path.name.lstrip(".").startswith("step-") and path.name not in kept:
            remove_quietly(path)


def adapter_config(spec: dict[str, Any], base_model: str, names: list[str]) -> str:
    modules = sorted({name.split(".lora_")[0].rsplit(".", 1)[1] for name in names})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "r": spec["lora_rank"],
        "lora_alpha": spec["lora_alpha"],
        "lora_dropout": 0,
        "target_modules": modules,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_rslora": False,
        "use_dora": False,
    }
    return json.dumps(config, indent=2) + "\n"


def save_numbers(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    from safetensors.numpy import save as save_numpy

    return save_numpy(tensors, metadata)
