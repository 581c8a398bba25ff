"""The training loop of one run, as src/train/trainer.ts tells it: resume, step, log, dev evaluation, checkpoint,
until done, stopped early or interrupted. Order, weights of the loss and learning rates are the prepared run's."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .checkpoint import OPTIMIZER_FILE, State, commit, read_checkpoint, read_tensors, weight_file, write_state
from .dropout import token_keys
from .early_stopping import has_stopped, is_best
from .errors import Again, DamagedRun, Interrupted, MixtuneError
from .memory import Thrift, is_out_of_memory, most_parts
from .messages import say
from .model import Model, pretrained_weights
from .packs import Entries, Items, Pack, Turn, chain, lay_concatenated, lay_tree, turns
from .prepared import Prepared, TrainData
from .ranks import ALONE, Ranks, fill, local, whole
from .run_dir import append_metrics, cut_metrics, elapsed, peak_memory_bytes, read_metrics


@dataclass
class Training:
    prepared: Prepared
    run_dir: Path
    model: Model
    stopped: Callable[[], bool]  # asked after every step
    on_step: Callable[[int, int], None]
    ranks: Ranks = ALONE
    begin_with: Thrift | None = None  # None: as the last step was done

    def __post_init__(self) -> None:
        self.spec: dict[str, Any] = self.prepared.json["spec"]
        self.train: dict[str, Any] = self.spec["train"]
        self.plan: dict[str, Any] = self.prepared.json["train"]
        self.data: TrainData = self.prepared.train()
        self.dev = self.prepared.dev()
        self.concatenated = self.train["packing"] == "contaminated"
        self.thrift = Thrift()
        self.ahead: dict[tuple[int, int], list[tuple[Turn, Pack]]] = {}  # by step and parts of packs
        self.touched = False  # whether weights may have moved since the model was opened

    def run(self) -> None:
        """
        Trains to the end. Where memory runs out, takes more thrift and repeats all since the last checkpoint.

        :raises Interrupted: a checkpoint was saved before
        :raises Again: so much for one of several ranks, of which all must begin anew
        """
        thrift = self.begin_with
        while True:
            try:
                return self._from_checkpoint(thrift)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self.touched = True
                thrift = self.thrift.more(most_parts(self.data.packs, self.concatenated))
            text = f"The device ran out of memory: {thrift.text()}, and work goes on from the last checkpoint."
            if self.ranks.count > 1:
                raise Again(text, thrift=[thrift.parts, thrift.recompute])
            say("note", text=text)

    def _from_checkpoint(self, thrift: Thrift | None) -> None:
        model, train, num_steps = self.model, self.train, self.plan["num_steps"]
        optimizer = self._optimizer()
        step = self._resume(optimizer)
        if self.ranks.is_first:
            cut_metrics(self.run_dir, step)
        history = self.ranks.of_first(read_metrics(self.run_dir))
        self.thrift = thrift or (_thrift_of(history[-1]) if history else Thrift())
        self.model.recompute = self.thrift.recompute
        evaluations = [_mean(line["dev_loss"]) for line in history if "dev_loss" in line]

        def is_over() -> bool:
            return step >= num_steps or has_stopped(evaluations, train["early_stopping_patience"])

        first = True
        while not is_over():
            began = time.perf_counter()
            line = self._step(optimizer, step)
            step += 1
            line["seconds"] = elapsed(began)
            best = False
            if self.dev and (step % train["eval_steps"] == 0 or step == num_steps):
                line["dev_loss"] = self._dev_losses()
                best = is_best(evaluations, _mean(line["dev_loss"]))
                evaluations.append(_mean(line["dev_loss"]))
            if self.ranks.is_first:
                append_metrics(self.run_dir, line)
            self.on_step(step, num_steps)
            say(
                "progress",
                phase="train",
                done=step,
                total=num_steps,
                unit="steps",
                loss=line["loss"],
                tokens_per_second=line["tokens"] / max(line["seconds"], 1e-9),
                **({"peak_memory_bytes": peak_memory_bytes(model.device)} if first else {}),
            )
            first = False
            stopped = self.stopped()
            if best or step % train["save_steps"] == 0 or is_over() or stopped:
                self._commit(step, optimizer, best, line.get("dev_loss"))
            if stopped and not is_over():
                raise Interrupted()

    def _step(self, optimizer: torch.optim.Optimizer, step: int) -> dict[str, Any]:
        """One update; the line of metrics.jsonl but for its seconds."""
        data, train = self.data, self.train
        packs = self._packs(step)
        laid = self.ahead.pop((step, self.thrift.parts), None) or self._laid(step)
        optimizer.zero_grad(set_to_none=True)
        rows: list[tuple[torch.Tensor, np.ndarray]] = []  # nll, entry
        for turn, pack in laid:
            entry = turn.entries.index[pack.entry]
            nll = self.model.nll(pack, self._token_keys(turn, pack))
            (nll * self.model.moved((turn.counts * data.weight[entry]).astype(np.float32))).sum().backward()
            if turn.counts:
                rows.append((nll.detach(), entry))
        parameters = list(self.model.trained.values())
        squares = sum_of_squares([p.grad for p in parameters if p.grad is not None])
        if step + 1 < self.plan["num_steps"]:
            self.ahead = {
                (step + 1, self.thrift.parts): self._laid(step + 1)
            }  # while the device computes; the next lines wait for it
        ours = float(squares), [(nll.cpu().numpy(), entry) for nll, entry in rows]
        all_squares, all_rows = zip(*self.ranks.gather(ours), strict=True)
        rows = [row for of_rank in all_rows for row in of_rank]
        nll = np.concatenate([nll for nll, _ in rows]).astype(np.float64)
        entry = np.concatenate([entry for _, entry in rows])
        loss, grad_norm = float((data.weight[entry] * nll).sum()), sum(all_squares) ** 0.5
        if not (np.isfinite(loss) and np.isfinite(grad_norm)):
            raise self._not_finite(step + 1, loss, grad_norm, packs)
        _clip(parameters, torch.tensor(grad_norm, device=self.model.device), train["max_grad_norm"])
        for group in optimizer.param_groups:
            group["lr"] = float(data.learning_rate[step])
        optimizer.step()
        items = np.concatenate([entries.item for entries in packs])
        return {
            "step": step + 1,
            "loss": loss,
            "loss_per_task": self._per_task(nll, entry, packs),
            "grad_norm": grad_norm,
            "learning_rate": float(data.learning_rate[step]),
            "tokens": sum(data.items.num_tokens(int(item)) for item in items),
            **({"parts": self.thrift.parts} if self.thrift.parts > 1 else {}),
            **({"recompute": True} if self.thrift.recompute else {}),
        }

    def _packs(self, step: int) -> list[Entries]:
        return self.data.packs[self.data.steps[step] : self.data.steps[step + 1]]

    def _laid(self, step: int) -> list[tuple[Turn, Pack]]:
        """What goes through the net one after another."""
        return [
            (turn, self._lay(turn.entries))
            for turn in self._turns(self._packs(step), self.data.items, self.concatenated)
        ]

    def _turns(self, packs: list[Entries], items: Items, by_group: bool = False) -> list[Turn]:
        return turns(packs, self.ranks.rank, self.ranks.count, self.thrift.parts, items.num_tokens, by_group)

    def _lay(self, entries: Entries) -> Pack:
        items, loss_on = self.data.items, self.train["loss_on"]
        if self.concatenated:
            return lay_concatenated(items, entries, loss_on)
        return lay_tree(items, entries, lambda item: chain(items.answers[item]), loss_on)

    def _token_keys(self, turn: Turn, pack: Pack) -> np.ndarray | None:
        """[T] for dropout."""
        key = self.data.key
        return None if key is None else token_keys(key[turn.entries.index[pack.owner]], pack.places)

    def _per_task(self, nll: np.ndarray, entry: np.ndarray, packs: list[Entries]) -> dict[str, float]:
        first = packs[0].index[0]
        tasks = self.data.task[np.concatenate([entries.item for entries in packs])][entry - first]
        names = self.plan["tasks"]
        return {names[task]: float(nll[tasks == task].mean()) for task in dict.fromkeys(tasks.tolist())}

    def _dev_losses(self) -> dict[str, float]:
        return {task: self._dev_loss(task, *split) for task, split in self.dev.items()}

    @torch.no_grad()
    def _dev_loss(self, task: str, items: Items, packs: list[Entries]) -> float:
        """Mean nats a supervised token."""
        total, count = 0.0, 0
        mine = self._turns(packs, items)
        for done, turn in enumerate(mine):
            say("progress", phase="dev", done=done, total=len(mine), unit="steps")
            nll = self.model.nll(
                lay_tree(items, turn.entries, lambda item: chain(items.answers[item]), self.train["loss_on"])
            )
            if turn.counts:
                total += float(nll.double().sum())
                count += len(nll)
        totals, counts = zip(*self.ranks.gather((total, count)), strict=True)
        return sum(totals) / sum(counts)

    def _optimizer(self) -> torch.optim.Optimizer:
        train = self.train
        decays = {parameter["name"]: parameter["decays"] for parameter in self.plan["parameters"]}
        groups = [
            {
                "params": [p for name, p in self.model.trained.items() if decays[name] == decay],
                "weight_decay": train["weight_decay"] * decay,
            }
            for decay in (True, False)
        ]
        return torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=0.0,
            betas=(train["adam_beta1"], train["adam_beta2"]),
            eps=train["adam_epsilon"],
            fused=True,  # one pass over weights and moments
        )

    def _resume(self, optimizer: torch.optim.Optimizer) -> int:
        """Loads the last checkpoint; without one, a whole pretrained model is as its folder says. Returns the step."""
        saved = read_checkpoint(self.run_dir)
        pretrained = self.train["method"] == "full" and self.train["init"] == "pretrained"
        if saved is None and not pretrained:
            raise DamagedRun(
                str(self.run_dir / "checkpoints"),
                "a checkpoint with the first values of what is trained",
                "none",
                "Prepare the run again with mixtune, which writes them: both engines begin with the same.",
            )
        if saved is None:
            if self.touched:
                folder = Path(self.prepared.json["model_dir"])
                self.model.load(pretrained_weights(folder), folder)
            return 0
        self.model.load(read_tensors(saved.path / weight_file(self.train)), saved.path)
        if saved.step == 0:
            return 0
        path = saved.path / OPTIMIZER_FILE
        moments = read_tensors(path)
        for name, parameter in self.model.trained.items():
            state = optimizer.state[parameter]
            state["step"] = torch.tensor(float(saved.step), device=parameter.device)
            for moment in ("exp_avg", "exp_avg_sq"):
                tensor = moments.get(f"{moment}.{name}")
                if tensor is None or tensor.shape != parameter.shape:
                    raise MixtuneError(
                        f"{path}: tensor {moment}.{name}",
                        str(list(parameter.shape)),
                        "no such tensor" if tensor is None else str(list(tensor.shape)),
                        "The checkpoint belongs to another run or model: give the folder that the run wrote.",
                    )
                state[moment] = torch.empty_like(parameter, requires_grad=False)
                fill(state[moment], tensor)
        return saved.step

    def _commit(
        self, step: int, optimizer: torch.optim.Optimizer, best: bool, dev_loss: dict[str, float] | None
    ) -> None:
        trained = self.model.trained

        def moments(moment: str) -> dict[str, torch.Tensor]:
            return self._whole(
                {name: optimizer.state[p].get(moment, torch.zeros_like(p)) for name, p in trained.items()}
            )

        state = State(
            self._whole({name: p.data for name, p in trained.items()}), moments("exp_avg"), moments("exp_avg_sq")
        )
        if self.ranks.is_first:
            self._write(step, state, best, dev_loss)
        self.ranks.wait()

    def _whole(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """On the processor if they were divided; for the first rank, which writes them."""
        if self.ranks.count == 1:
            return tensors
        gathered = ((name, whole(tensor)) for name, tensor in tensors.items())
        return {name: tensor.cpu() for name, tensor in gathered if self.ranks.is_first}

    def _write(self, step: int, state: State, best: bool, dev_loss: dict[str, float] | None) -> None:
        write = partial(write_state, state=state, spec=self.spec, model_dir=Path(self.prepared.json["model_dir"]))
        commit(self.run_dir, step, write, best, None if dev_loss is None else _mean(dev_loss))

    def _not_finite(self, step: int, loss: float, norm: float, packs: list[Entries]) -> MixtuneError:
        items = np.concatenate([entries.item for entries in packs])
        names = [f"{self.plan['tasks'][self.data.task[item]]} {item}" for item in items[:20]]
        more = f" and {len(items) - len(names)} more" if len(items) > len(names) else ""
        return MixtuneError(
            f"training step {step}, items {', '.join(names)}{more}",
            "a finite loss and gradient",
            f"loss {loss}, gradient norm {norm}",
            "Lower train.learning_rate or train.max_grad_norm, or look at these examples; the last checkpoint is kept.",
        )


BLOCK = 1 << 22
"""Numbers that are made float64 at a time."""


def sum_of_squares(gradients: list[torch.Tensor]) -> torch.Tensor:
    """
    In float64, of this rank's part of what is divided: of very many numbers PyTorch's norm, in float32, is 3e-5 off.
    """
    parts = [
        block.double().square().sum() for gradient in gradients for block in local(gradient).reshape(-1).split(BLOCK)
    ]
    return torch.stack(parts).sum()


def _clip(parameters: list[torch.nn.Parameter], norm: torch.Tensor, limit: float) -> None:
    if limit > 0:
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm)


def _mean(losses: dict[str, float]) -> float:
    return sum(losses.values()) / len(losses)


def _thrift_of(line: dict[str, Any]) -> Thrift:
    return Thrift(line.get("parts", 1), line.get("recompute", False))


def notes_of(history: list[dict[str, Any]]) -> list[str]:
    """What a receipt says of a run's steps."""
    first: dict[Thrift, int] = {}
    for line in history:
        first.setdefault(_thrift_of(line), line["step"])
    return [
        f"The device ran out of memory: from step {step} on, {thrift.text()}."
        for thrift, step in first.items()
        if thrift != Thrift()
    ]
