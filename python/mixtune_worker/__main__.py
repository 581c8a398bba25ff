"""mixtune-worker run PREPARED_DIR RUN_DIR; work; info; storage URI (storage.py); ray-driver STORAGE_URI STUDY
(ray_driver.py); rank (team.py).

`work` does one prepared run after another, each asked for by a JSON line on standard input: {"prepared": DIR, "run":
DIR}. After each it says the outcome. `run` does one, and its exit status is 0 done or interrupted, 1 failed, 2 the
prepared run is damaged, 3 a fault of the worker's own.
"""

import json
import os
import platform
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import Again, DamagedRun, Interrupted, MixtuneError, fault
from .messages import say, take_stdout
from .packages import check_packages
from .stop import Stop

USAGE = "mixtune-worker run PREPARED_DIR RUN_DIR, mixtune-worker work, or mixtune-worker info"


def main() -> int:
    arguments = sys.argv[1:]
    if arguments == ["info"]:
        return info()
    if len(arguments) == 2 and arguments[0] == "storage":
        from .storage import serve

        return serve(arguments[1])
    take_stdout()
    if len(arguments) == 3 and arguments[0] == "ray-driver":
        return work(lambda: drive_ray(arguments[1], arguments[2]))
    stop = Stop()
    if arguments == ["rank"]:
        from .team import be_rank

        os._exit(work(lambda: be_rank(stop), aloud=False))  # what is left waits for others, perhaps for ever
    if arguments == ["work"]:
        for line in stop.lines():
            if work(lambda line=line: run_asked(line, stop)) == FAULT:
                return FAULT
        return 0
    return work(lambda: run_named(arguments, stop))


def run_named(arguments: list[str], stop: Stop) -> None:
    if len(arguments) != 3 or arguments[0] != "run":
        raise DamagedRun("arguments", USAGE, " ".join(arguments) or "none", "Start it so.")
    check_packages()
    from .team import do

    do(Path(arguments[1]), Path(arguments[2]), stop)


def drive_ray(storage: str, study: str) -> None:
    from .ray_driver import drive

    drive(storage, study)


def run_asked(line: str, stop: Stop) -> None:
    try:
        asked = json.loads(line)
        named = ["run", asked["prepared"], asked["run"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRun(
            "standard input", '{"prepared": DIR, "run": DIR}', line[:200], "Use the mixtune that this worker came with."
        ) from error
    run_named(named, stop)


FAULT = 3
"""Exit status of a process that nobody should give more to do."""


def work(one: Callable[[], None], aloud: bool = True) -> int:
    """
    Does it and says how it ended.

    :param aloud: to people too
    """
    try:
        one()
    except Interrupted:
        say("outcome", state="interrupted")
        return 0
    except Again as again:
        say("again", text=again.text, task=again.task)
        return 0
    except MixtuneError as error:
        say("outcome", state="failed", **error.fields())
        if aloud:
            print(error, file=sys.stderr)
        return error.status
    except BaseException as error:  # every fault is told to whoever listens
        say("outcome", state="failed", **fault(error), stack=traceback.format_exc())
        if aloud:
            print(f"a fault in mixtune-worker: {error}", file=sys.stderr)
        return FAULT
    say("outcome", state="done")
    return 0


def info() -> int:
    """One JSON line: what this Python computes with."""
    try:
        versions = check_packages()
    except MixtuneError as error:
        print(json.dumps(error.fields()))
        return error.status
    cuda = _may_have_gpus() and _cuda_works()
    about: dict[str, Any] = {
        "python": platform.python_version(),
        **{name: versions[name] for name in ("torch", "transformers", "peft")},
        "device": "cuda" if cuda else "cpu",
        "device_name": platform.processor() or platform.machine(),
        **(gpus() if cuda else {}),
    }
    print(json.dumps(about))
    return 0


def _may_have_gpus() -> bool:
    """Without a driver's device there is none, and no need to import PyTorch, which takes seconds."""
    devices = [
        "nvidia0",
        "nvidiactl",
        "nvhost-gpu",
        "kfd",
        "dxg",
    ]  # NVIDIA's, its Jetson's, AMD's, Windows' in its subsystem for Linux
    return sys.platform != "linux" or any(Path("/dev", name).exists() for name in devices)


def _cuda_works() -> bool:
    import torch

    return torch.cuda.is_available()


def gpus() -> dict[str, Any]:
    """How many there are, the bytes of the smallest, and the name of the first."""
    import torch

    memory = [torch.cuda.get_device_properties(index).total_memory for index in range(torch.cuda.device_count())]
    return {"device_name": torch.cuda.get_device_name(), "device_count": len(memory), "device_memory": min(memory)}


if __name__ == "__main__":
    sys.exit(main())
