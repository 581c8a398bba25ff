"""Learning rates of transformers' schedules over whole runs."""

import json
import os
import platform

import torch
import transformers
from transformers import get_scheduler

folder = os.path.dirname(os.path.abspath(__file__))
cases = []
names = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup", "warmup_stable_decay": "warmup_stable_decay"}
for kind, name in names.items():
    for steps, warmup, decay in ((11, 0, 4), (11, 3, 5), (40, 2, 8)):
        wsd = {"num_decay_steps": decay, "decay_type": "linear"} if kind == "warmup_stable_decay" else None
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2e-4)
        scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=steps, scheduler_specific_kwargs=wsd)
        rates = []
        for _ in range(steps):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        cases.append({"kind": kind, "steps": steps, "warmup": warmup, "decay": decay, "rates": rates})
with open(os.path.join(folder, "expected.json"), "w") as f:
    json.dump(cases, f, indent=1)
    f.write("\n")
versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}
with open(os.path.join(folder, "provenance.json"), "w") as f:
    json.dump({"command": "python test/golden/optim/schedules/make.py", "versions": versions}, f, indent=1)
    f.write("\n")
