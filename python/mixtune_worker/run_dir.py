"""What the worker writes into a run directory beside checkpoints and answers: metrics, status, receipt."""

import os
import platform
import socket
import sys
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .files import append_line, read_lines, write_json, write_whole
from .messages import dumps

BEAT_SECONDS = 5


class RunDir:
    def __init__(self, path: Path):
        self.path = path
        self._beaten = 0.0
        self._started = now()

    def metrics(self) -> list[dict[str, Any]]:
        return read_lines(self.path / "metrics.jsonl")

    def cut_metrics(self, step: int) -> None:
        """Lines beyond a checkpoint's step are of work that is lost."""
        lines = self.metrics()
        kept = [line for line in lines if line["step"] <= step]
        if len(kept) < len(lines):
            write_whole(self.path / "metrics.jsonl", "".join(dumps(line) + "\n" for line in kept))

    def log(self, line: dict[str, Any]) -> None:
        append_line(self.path / "metrics.jsonl", line)

    def beat(self, **change: Any) -> None:
        """A sign of life, every few seconds at most."""
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        alive = {"pid": os.getpid(), "host": socket.gethostname(), "started": self._started, "beat": now()}
        write_json(self.path / "status.json", {"state": "running", **change, **alive})

    def write_receipt(self, seed: int, threads: int, device: str, cost: dict[str, Any], notes: list[str]) -> None:
        host = {"platform": sys.platform, "cpu": platform.processor() or platform.machine(), "cores": os.cpu_count() or 1}
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
        record = {
            "versions": {**versions(), "device": device},
            "host": {**host, "memory_bytes": memory},
            "seed": seed,
            "threads": threads,
            "cost": cost,
        }
        write_json(self.path / "receipt.json", {**record, "notes": notes} if notes else record)


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "peft")}}


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
