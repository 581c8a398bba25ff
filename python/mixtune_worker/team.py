"""A prepared run done by this process, or by ranks that it starts, follows and ends: it computes nothing then, and so
is never stuck where they are.

A rank that dies takes the others with it. Where memory runs out, all begin anew from the last checkpoint with more
thrift. When this process is gone, they see it and go too.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import Interrupted, MixtuneError
from .messages import say
from .prepared import Prepared
from .stop import Stop

COMMAND = [sys.executable, "-m", "mixtune_worker", "rank"]
POLL_SECONDS = 0.2
LAST_WORDS_SECONDS = 3.0
"""How long others may still give a reason once one rank failed: the first reason heard may be a consequence."""


def do(folder: Path, run_dir: Path, stop: Callable[[], bool]) -> None:
    """
    Does a prepared run, {@link run} in as many processes as it says.

    :raises MixtuneError: also a fault of a rank
    :raises Interrupted: what was worth keeping is saved
    """
    count = Prepared(folder).json["ranks"]
    if count == 1:
        from .run import run

        return run(folder, run_dir, stop)
    task = {"prepared": str(folder), "run": str(run_dir)}
    while True:
        with _Team(task, count) as team:
            again = team.follow(stop)
        if again is None:
            return
        say("note", text=again["text"])
        task |= again["task"]


class _Team:
    def __init__(self, task: dict[str, Any], count: int):
        self.task, self.count = task, count
        self.ranks: list[subprocess.Popen[str]] = []
        self.heard: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
        self.last: dict[int, dict[str, Any]] = {}  # by rank, what it ended with

    def __enter__(self) -> "_Team":
        self.folder = tempfile.TemporaryDirectory(prefix="mixtune-ranks-")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
            )
        }
        common = {
            **self.task,
            "ranks": self.count,
            "meeting": str(Path(self.folder.name) / "meeting"),
            "parent": os.getpid(),
        }
        for rank in range(self.count):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
            child = subprocess.Popen(COMMAND, env=environment, **pipes)
            self.ranks.append(child)
            threading.Thread(target=self._listen, args=(rank, child), daemon=True).start()
            assert child.stdin is not None
            with suppress(OSError):  # one that ended says so by its status
                child.stdin.write(json.dumps({**common, "rank": rank}) + "\n")
                child.stdin.flush()
        return self

    def __exit__(self, *_: Any) -> None:
        for child in self.ranks:
            child.kill()
        for child in self.ranks:
            child.wait()
            _close_input(child)
        self.folder.cleanup()

    def _listen(self, rank: int, child: "subprocess.Popen[str]") -> None:
        for line in child.stdout or ():
            with suppress(ValueError):  # half a line of one that was killed
                self.heard.put((rank, json.loads(line)))
        child.wait()
        self.heard.put((rank, None))

    def follow(self, stop: Callable[[], bool]) -> dict[str, Any] | None:
        """
        Waits for all.

        :return: the words of one for which all should begin anew, or None: it is done
        """
        living, told_to_stop, until = set(range(self.count)), False, float("inf")
        while living and time.monotonic() < until:
            if stop() and not told_to_stop:
                told_to_stop = True
                for child in self.ranks:
                    _close_input(child)
            try:
                rank, message = self.heard.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if message is None:
                living.discard(rank)
            elif message["kind"] in ("outcome", "again"):
                self.last[rank] = message
            elif rank == 0:
                say(**message)
            if until == float("inf") and (
                self._has_gone(rank, living) or self._went_wrong(rank) or len(self.last) == self.count
            ):
                until = time.monotonic() + LAST_WORDS_SECONDS
        return self._verdict(living)

    def _has_gone(self, rank: int, living: set[int]) -> bool:
        return rank not in living and rank not in self.last

    def _went_wrong(self, rank: int) -> bool:
        return rank in self.last and self.last[rank].get("state") not in ("done", "interrupted")

    def _verdict(self, living: set[int]) -> dict[str, Any] | None:
        again = next((message for message in self.last.values() if message["kind"] == "again"), None)
        if again is not None:
            return again
        gone = [rank for rank in range(self.count) if self._has_gone(rank, living)]
        failed = [rank for rank, message in self.last.items() if message["state"] == "failed"]
        told = [rank for rank in failed if "stack" not in self.last[rank]]
        if gone and not told:
            raise _rank_gone(gone[0], self.count, self.ranks[gone[0]].returncode)
        if failed:
            rank = (told or failed)[0]
            raise RankFailed(self.last[rank], self.ranks[rank].wait())
        if any(message["state"] == "interrupted" for message in self.last.values()):
            raise Interrupted()
        return None


def _close_input(child: "subprocess.Popen[str]") -> None:
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()


def be_rank(stop: Stop) -> None:
    """What a rank does: one task, from standard input."""
    line = next(stop.lines(), None)
    if line is None:
        raise Interrupted()
    task = json.loads(line)
    threading.Thread(target=_go_with, args=(task["parent"],), daemon=True).start()
    from .run import run_rank

    run_rank(task, stop)


def _go_with(parent: int) -> None:
    """Whatever the main thread waits for."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


class RankFailed(MixtuneError):
    """What a rank said of its failure."""

    def __init__(self, message: dict[str, Any], status: int):
        super().__init__(message["place"], message["expected"], message["got"], message["remedy"])
        self.message, self.status = message, status

    def fields(self) -> dict[str, str]:
        return {name: text for name, text in self.message.items() if name not in ("kind", "state")}


def _rank_gone(rank: int, count: int, status: int) -> MixtuneError:
    killed = " (killed: often for want of memory)" if status == -9 else ""
    how = f"signal {-status}{killed}" if status < 0 else f"status {status}"
    return MixtuneError(
        f"rank {rank} of {count} of the PyTorch worker",
        "an outcome before its end",
        f"{how}; the other ranks were ended",
        "The same command goes on from the last checkpoint.",
    )
