"""mixtune_worker: trains and answers a prepared run.

    python -m mixtune_worker run PREPARED_DIR RUN_DIR    messages on standard output; status 0 done or interrupted, 1 failed, 2 damaged
    python -m mixtune_worker info                        what it runs on, one JSON line
"""

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from .errors import Interrupted, MixtuneError
from .messages import say, take_stdout

stopped = threading.Event()


def main() -> int:
    match sys.argv[1:]:
        case ["info"]:
            return info()
        case ["run", prepared, run]:
            return guarded(Path(prepared), Path(run))
    print(__doc__, file=sys.stderr)
    return 2


def info() -> int:
    try:
        import torch

        from .run_dir import versions

        cuda = torch.cuda.is_available()
        name = torch.cuda.get_device_name(0) if cuda else "cpu"
        print(json.dumps({**versions(), "device": "cuda" if cuda else "cpu", "device_name": name}))
        return 0
    except ImportError as error:
        print(json.dumps({"place": sys.executable, "expected": "PyTorch, transformers and PEFT", "got": str(error), "remedy": "Run mixtune setup torch."}))
        return 1


def guarded(prepared: Path, run: Path) -> int:
    take_stdout()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stopped.set())
    threading.Thread(target=watch_parent, daemon=True).start()
    try:
        work(prepared, run)
    except Interrupted:
        say("outcome", state="interrupted")
        return 0
    except MixtuneError as error:
        say("outcome", state="failed", **error.fields())
        return error.status
    except Exception as error:  # a fault of ours: the whole story goes to whoever asks for it
        remedy = "The same command goes on from the last checkpoint; with --debug it shows where this happened."
        say("outcome", state="failed", place="the PyTorch worker", expected="no fault", got=f"{type(error).__name__}: {error}", remedy=remedy, stack=traceback.format_exc())
        return 1
    say("outcome", state="done")
    return 0


def watch_parent() -> None:
    """Standard input ends when whoever started the worker is gone: then it saves and leaves."""
    while os.read(0, 4096):
        pass
    stopped.set()


def work(prepared_dir: Path, run_dir: Path) -> None:
    from .prepared import Prepared

    prepared = Prepared(prepared_dir)
    content = prepared.json

    import torch

    from .model import Model
    from .questions import answer
    from .run_dir import RunDir
    from .train import Trainer, load_trained

    torch.set_num_threads(content["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = torch.device({"auto": "cuda" if torch.cuda.is_available() else "cpu"}.get(content["device"], content["device"]))
    spec = content["spec"]["train"] if content["spec"] is not None else None
    model = Model(content["model_dir"], spec, device, content["precision"])
    prepared.vocab_size = model.vocab_size
    run = RunDir(run_dir)
    if content["train"] is not None:
        Trainer(prepared, model, run, stopped.is_set).train()
    step = 0
    if spec is not None:
        parameters = [{"name": name, "shape": list(one.shape)} for name, one in model.trainable().items()]
        step = load_trained(model, run_dir, spec, parameters)
    if content["questions"]:
        answer(prepared, model, run, step, stopped.is_set)


if __name__ == "__main__":
    sys.exit(main())
