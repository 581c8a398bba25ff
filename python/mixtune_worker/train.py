"""The training loop of one run: resume, step, log, dev loss, checkpoint; the same decisions as src/train/trainer.ts."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import checkpoint
from .errors import Interrupted, MixtuneError
from .messages import say
from .model import Model
from .packs import Entries, Items, Pack, lay_concatenated, lay_tree, num_units, split
from .prepared import Prepared, TrainData
from .run_dir import RunDir


class Trainer:
    def __init__(self, prepared: Prepared, model: Model, run: RunDir, is_stopped: Callable[[], bool]):
        content = prepared.json
        self.model, self.run, self.is_stopped = model, run, is_stopped
        self.spec: dict[str, Any] = content["spec"]["train"]
        self.seed, self.base_model, self.model_dir = content["spec"]["seed"], content["spec"]["model"]["name"], content["model_dir"]
        self.tasks: list[str] = content["train"]["tasks"]
        self.parameters: list[dict[str, Any]] = content["train"]["parameters"]
        self.data: TrainData = prepared.train()
        self.dev = prepared.dev()
        self.threads: int = content["threads"]
        self.parts = 1  # into how many each pack is cut for want of memory
        self.notes: list[str] = []
        trainable = model.trainable()
        names = {one["name"] for one in self.parameters}
        if names != set(trainable):
            odd = sorted(names ^ set(trainable))
            raise MixtuneError(
                "prepared.json: train.parameters",
                "the tensors that this model trains",
                f"{len(odd)} others, {odd[0]} among them",
                "Use the worker that came with this mixtune.",
            )
        self.weights = {one["name"]: trainable[one["name"]] for one in self.parameters}

    def train(self) -> None:
        while True:
            try:
                return self._train()
            except torch.OutOfMemoryError:
                if all(num_units(pack, self._by_group) <= self.parts for pack in self.data.packs):
                    raise
                self.parts *= 2
                text = f"out of memory: packs are cut into {self.parts}, and training goes on from the last checkpoint"
                self.notes.append(text)
                say("note", text=text)
                torch.cuda.empty_cache()

    @property
    def _by_group(self) -> bool:
        return self.spec["packing"] == "contaminated"

    def _train(self) -> None:
        spec, run = self.spec, self.run
        num_steps = len(self.data.learning_rate)
        step = self._restore()
        run.cut_metrics(step)
        history = run.metrics()
        evaluations = [mean(line["dev_loss"]) for line in history if "dev_loss" in line]
        first_of_call = True

        def is_over() -> bool:
            return step >= num_steps or has_stopped(evaluations, spec["early_stopping_patience"])

        while not is_over():
            began = time.monotonic()
            line = self._step(step)
            step += 1
            line = {"step": step, **line, "seconds": time.monotonic() - began}
            best = False
            if self.dev and (step % spec["eval_steps"] == 0 or step == num_steps):
                line["dev_loss"] = self._dev_losses()
                best = all(mean(line["dev_loss"]) < earlier for earlier in evaluations)
                evaluations.append(mean(line["dev_loss"]))
            run.log(line)
            run.beat(step=step, num_steps=num_steps)
            rate = line["tokens"] / max(line["seconds"], 1e-9)
            peak = {"peak_memory_bytes": peak_memory(self.model.device)} if first_of_call else {}
            first_of_call = False
            say("progress", phase="train", done=step, total=num_steps, unit="steps", loss=line["loss"], tokens_per_second=rate, **peak)
            stopped = self.is_stopped()
            if best or step % spec["save_steps"] == 0 or is_over() or stopped:
                self._commit(step, best, mean(line["dev_loss"]) if "dev_loss" in line else None)
            if stopped and not is_over():
                raise Interrupted
        self._write_receipt()

    def _step(self, step: int) -> dict[str, Any]:
        data, spec = self.data, self.spec
        packs = data.packs[data.steps[step] : data.steps[step + 1]]
        sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0])
        loss, tokens = 0.0, 0
        for one in self.weights.values():
            one.grad = None
        for entries in (part for pack in packs for part in split(pack, self.parts, self._by_group)):
            laid = self._lay(data.items, entries)
            nll = self.model.nll(laid)
            weight = torch.from_numpy(data.weight[entries.index][laid.entry])
            (nll * weight.to(self.model.device, torch.float32)).sum().backward()
            values = nll.detach().double().cpu().numpy()
            loss += float((values * weight.numpy()).sum())
            for task, value in zip(data.task[entries.item][laid.entry], values, strict=True):
                sums[int(task)][0] += float(value)
                sums[int(task)][1] += 1
            tokens += sum(data.items.num_tokens(int(item)) for item in entries.item)
        norm = float(torch.nn.utils.clip_grad_norm_(self.weights.values(), spec["max_grad_norm"]))
        if not np.isfinite(loss) or not np.isfinite(norm):
            raise MixtuneError(
                f"training step {step + 1}",
                "a finite loss and gradient",
                f"loss {loss}, gradient norm {norm}",
                "Lower train.learning_rate or train.max_grad_norm, or look at these examples; the last checkpoint is kept.",
            )
        rate = float(data.learning_rate[step])
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        per_task = {self.tasks[task]: total / count for task, (total, count) in sums.items()}
        return {"loss": loss, "loss_per_task": per_task, "grad_norm": norm, "learning_rate": rate, "tokens": tokens}

    def _lay(self, items: Items, entries: Entries) -> Pack:
        if self._by_group:
            return lay_concatenated(items, entries, self.spec["loss_on"])
        return lay_tree(items, entries, lambda item: [items.answers[item]], self.spec["loss_on"])

    @torch.no_grad()
    def _dev_losses(self) -> dict[str, float]:
        losses = {}
        for task, (items, packs) in self.dev.items():
            parts = [self.model.nll(lay_tree(items, pack, lambda item: [items.answers[item]], self.spec["loss_on"])) for pack in packs]
            losses[task] = float(torch.cat(parts).double().mean())
        return losses

    def _restore(self) -> int:
        """Sets weights and moments to those of the last checkpoint. Returns its step."""
        spec = self.spec
        decayed = [self.weights[one["name"]] for one in self.parameters if one["decays"]]
        spared = [self.weights[one["name"]] for one in self.parameters if not one["decays"]]
        groups = [{"params": decayed, "weight_decay": spec["weight_decay"]}, {"params": spared, "weight_decay": 0.0}]
        betas = (spec["adam_beta1"], spec["adam_beta2"])
        self.optimizer = torch.optim.AdamW([one for one in groups if one["params"]], lr=0.0, betas=betas, eps=spec["adam_epsilon"])
        saved = checkpoint.read_checkpoint(self.run.path)
        if saved is None:
            return 0
        step, folder = saved
        values = checkpoint.read_tensors(folder / checkpoint.weight_file(spec), self.parameters)
        moments = folder / checkpoint.OPTIMIZER_FILE
        first = checkpoint.read_tensors(moments, self.parameters, "exp_avg.")
        second = checkpoint.read_tensors(moments, self.parameters, "exp_avg_sq.")
        device = self.model.device
        with torch.no_grad():
            for name, one in self.weights.items():
                one.copy_(values[name])
                if step > 0:
                    state = {"step": torch.tensor(float(step)), "exp_avg": first[name].to(device), "exp_avg_sq": second[name].to(device)}
                    self.optimizer.state[one] = state
        return step

    def _commit(self, step: int, best: bool, dev_loss: float | None) -> None:
        weights = {name: one.detach().float().cpu().contiguous() for name, one in self.weights.items()}
        state = self.optimizer.state
        moments = tuple(
            {name: state[one][key].float().cpu().contiguous() for name, one in self.weights.items()} for key in ("exp_avg", "exp_avg_sq")
        )
        checkpoint.commit(self.run.path, step, self.spec, self.model_dir, self.base_model, weights, moments, best, dev_loss)

    def _write_receipt(self) -> None:
        history = self.run.metrics()
        tokens = sum(line["tokens"] for line in history)
        cost = {
            "tokens": tokens,
            "flops": tokens * self.model.block_weights() * (6 if self.spec["method"] == "full" else 4),
            "seconds": sum(line["seconds"] for line in history),
            "peak_memory_bytes": peak_memory(self.model.device),
        }
        self.run.write_receipt(self.seed, self.threads, device_name(self.model.device), cost, self.notes)


def mean(losses: dict[str, float]) -> float:
    return sum(losses.values()) / len(losses)


def has_stopped(evaluations: list[float], patience: int) -> bool:
    """True once the last `patience` evaluations brought nothing better than what was before them."""
    if patience == 0 or len(evaluations) <= patience:
        return False
    return min(evaluations[-patience:]) >= min(evaluations[:-patience])


def peak_memory(device: torch.device) -> int:
    """Of the device, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def load_trained(model: Model, run: Path, spec: dict[str, Any], parameters: list[dict[str, Any]]) -> int:
    """Gives the model the weights that a finished run is scored with. Returns their step."""
    saved = (checkpoint.read_checkpoint(run, "best") if spec["evaluate"] == "best" else None) or checkpoint.read_checkpoint(run)
    if saved is None:
        raise MixtuneError(
            str(run), "the weights of the trained run", f"none (train.keep: {spec['keep']})",
            "Delete the run's folder to train it again, with train.keep: last or best.",
        )
    step, folder = saved
    values = checkpoint.read_tensors(folder / checkpoint.weight_file(spec), parameters)
    trainable = model.trainable()
    with torch.no_grad():
        for name, value in values.items():
            trainable[name].copy_(value)
    return step
