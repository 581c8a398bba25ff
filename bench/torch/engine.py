"""One engine of npm run bench:torch in a process of its own: takes a step for each line "step" on standard input and
answers with one JSON line.

engine.py check what is missing, and what there is engine.py ours | ours-compiled | trl | trl-packed SETTINGS.json the
settings: Settings of bench/torch.ts
"""

import json
import os
import resource
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ["torch", "transformers", "peft", "trl", "accelerate", "datasets"]


class Over(BaseException):
    """No more steps are wanted."""


class Turns:
    """Lets an engine's own loop do one step at a time. A step lasts until the next could begin, its batch included."""

    def __init__(self, settings, out):
        import torch

        self.torch, self.settings, self.out = torch, settings, out
        self.device = torch.device(settings["device"])

    def say(self, **fields):
        self.out.write(json.dumps(fields) + "\n")
        self.out.flush()

    def wait(self):
        for line in sys.stdin:
            if line.strip() == "step":
                self.began = time.perf_counter()
                return
            if line.strip() == "product":
                self.say(flops=self.product())
        raise Over

    def over(self, loss_of):
        """:param loss_of: called once the clock has stopped"""
        self.sync()
        seconds = time.perf_counter() - self.began
        self.say(seconds=seconds, loss=loss_of(), peakMemoryBytes=self.peak())
        self.wait()

    def sync(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def peak(self):
        if self.device.type == "cuda":
            return self.torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def product(self):
        """Operations a second of a plain square product in the run's precision: the best of a few, warm."""
        torch = self.torch
        size, times = self.settings["product"], 20 if self.device.type == "cuda" else 5
        a, b = (torch.randn(size, size, device=self.device, dtype=dtype_of(self.settings)) for _ in range(2))
        best = float("inf")
        for _ in range(times):
            self.sync()
            began = time.perf_counter()
            a @ b
            self.sync()
            best = min(best, time.perf_counter() - began)
        return 2 * size**3 / best


def dtype_of(settings):
    import torch

    return getattr(torch, settings["precision"])


def random_net(settings, attention=None):
    """The same random weights in every process, made where they are used."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(settings["model"])
    torch.manual_seed(1)
    with torch.device(settings["device"]):
        return AutoModelForCausalLM.from_config(config, dtype=dtype_of(settings), attn_implementation=attention)


def check():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    device, name = "cpu", "cpu"
    if found["torch"] is not None:
        import torch

        if torch.cuda.is_available():
            device, name = "cuda", torch.cuda.get_device_name()
    print(json.dumps({"packages": found, "device": device, "name": name}))


def main():
    if sys.argv[1] == "check":
        return check()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print goes elsewhere
    settings = json.loads(Path(sys.argv[2]).read_text())
    import torch

    torch.set_num_threads(settings["threads"])
    turns = Turns(settings, out)
    try:
        if sys.argv[1].startswith("ours"):
            from ours import train
        else:
            from theirs import train
        train(turns, settings, sys.argv[1])
    except Over:
        pass


if __name__ == "__main__":
    main()
