"""Records of a run directory that the worker writes: metrics.jsonl, status.json, receipt.json. Layout:
src/runs/run-dir.ts."""

import os
import platform
import resource
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from . import __version__
from .errors import MixtuneError
from .files import append_line, read_json, read_lines, write_json, write_whole
from .messages import dumps

BEAT_SECONDS = 5


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    return read_lines(run_dir / "metrics.jsonl")


def append_metrics(run_dir: Path, line: dict[str, Any]) -> None:
    append_line(run_dir / "metrics.jsonl", line)


def cut_metrics(run_dir: Path, step: int) -> None:
    """Takes back what was logged after `step`: the resumed run logs it again."""
    path = run_dir / "metrics.jsonl"
    if path.exists():
        lines = [line for line in read_metrics(run_dir) if line["step"] <= step]
        write_whole(path, "".join(dumps(line) + "\n" for line in lines))


class Status:
    """Keeps status.json alive from a thread of its own: a step of a large model may take longer than a beat."""

    def __init__(self, run_dir: Path):
        self.path = run_dir / "status.json"
        self.fields: dict[str, Any] = {"pid": os.getpid(), "host": socket.gethostname(), "started": _now()}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Status":
        self._write()
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join()

    def at(self, step: int, num_steps: int) -> None:
        self.fields = self.fields | {"step": step, "num_steps": num_steps}

    def _beat(self) -> None:
        while not self.over.wait(BEAT_SECONDS):
            with suppress(MixtuneError):  # the next write of what matters says it
                self._write()

    def _write(self) -> None:
        write_json(self.path, {"state": "running", **self.fields, "beat": _now()})


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def versions(device: torch.device) -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "transformers", "peft")}
    return {
        "mixtune-worker": __version__,
        "python": platform.python_version(),
        **packages,
        "device": device_name(device),
    }


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def reset_peak_memory(device: torch.device) -> None:
    """A process may do several runs, and each has a peak of its own."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes(device: torch.device) -> int:
    """Of the device that computes: CUDA's allocations, or the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "linux":
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def write_receipt(
    run_dir: Path,
    device: torch.device,
    ranks: int,
    peak_memory: int,
    seed: int,
    threads: int,
    flops_per_token: int,
    notes: list[str],
) -> None:
    history = read_metrics(run_dir)
    tokens = sum(line["tokens"] for line in history)
    receipt = {
        "versions": versions(device) | ({"device": f"{ranks} x {device_name(device)}"} if ranks > 1 else {}),
        "host": {
            "platform": sys.platform,
            "cpu": _cpu(),
            "cores": os.cpu_count() or 0,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        },
        "seed": seed,
        "threads": threads,
        "cost": {
            "tokens": tokens,
            "flops": tokens * flops_per_token,
            "seconds": sum(line["seconds"] for line in history),
            "peak_memory_bytes": peak_memory,
        },
    }
    write_json(run_dir / "receipt.json", receipt | ({"notes": notes} if notes else {}))


def add_note(run_dir: Path, note: str) -> None:
    """To a receipt that is there; before it is, notes follow from metrics.jsonl."""
    path = run_dir / "receipt.json"
    receipt = read_json(path)
    if receipt is not None and note not in receipt.get("notes", []):
        write_json(path, receipt | {"notes": [*receipt.get("notes", []), note]})


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def elapsed(since: float) -> float:
    return time.perf_counter() - since
