"""The prepared run: read, compared with its digests and checked to the last index before anything is believed of it."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors

from .errors import DamagedRun
from .files import unreadable
from .packs import Entries, Items

SCHEMA = Path(__file__).with_name("prepared.schema.json")
REMEDY = "Prepare the run again; if this repeats, the program that wrote it has another version."


@dataclass(frozen=True)
class TrainData:
    items: Items
    task: np.ndarray  # [n] index into `tasks` of prepared.json
    weight: np.ndarray  # [E] of each loss row of an entry
    key: np.ndarray | None  # [E] for dropout
    packs: list[Entries]
    steps: np.ndarray  # [S + 1] into packs
    learning_rate: np.ndarray  # [S]


@dataclass(frozen=True)
class Split:
    """What is asked of a model, and the packs to ask it with."""

    items: Items
    labels: list[np.ndarray]
    label_packs: list[Entries]
    gold_packs: list[Entries]


class Prepared:
    """A prepared folder whose prepared.json was checked; its tensors are read, and checked, when asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        path = folder / "prepared.json"
        try:
            self.json: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error
        check_schema(self.json, path)
        self.files: dict[str, str] = self.json["files"]
        named = [question["file"] for question in self.json["questions"]]
        if self.json["train"] is not None:
            named += [self.json["train"]["file"], *self.json["train"]["dev"].values()]
            if self.json["spec"] is None:
                raise DamagedRun(f"{path}: spec", "the run's spec, as there is training", "null", REMEDY)
        for name in named:
            if name not in self.files:
                raise DamagedRun(f"{path}: files", f"the digest of {name}", "none", REMEDY)
        self.vocab_size = 2**31  # until the model is known

    def train(self) -> TrainData:
        train = self.json["train"]
        file = self._open(train["file"])
        items = file.items(spanned=self._spanned())
        isolated = self.json["spec"]["train"]["packing"] != "contaminated"
        packs = file.packs("", items, shares=isolated)
        num_entries = sum(map(len, packs))
        task = file.whole("item_task", np.int32, len(items), below=len(train["tasks"]))
        weight = file.finite("entry_weight", num_entries)
        dropout = "lora_dropout" in self.json["spec"]["train"]
        key = file.take("entry_key", np.int64, num_entries) if dropout else None
        steps = file.offsets("step_offsets", len(packs))
        learning_rate = file.finite("learning_rate", train["num_steps"])
        file.demand(
            "step_offsets", len(steps) == train["num_steps"] + 1, f"{train['num_steps']} steps", f"{len(steps) - 1}"
        )
        file.demand("step_offsets", bool((np.diff(steps) > 0).all()), "a pack in every step", "a step without")
        return TrainData(items, task, weight, key, packs, steps, learning_rate)

    def dev(self) -> dict[str, tuple[Items, list[Entries]]]:
        """By task."""
        splits = {}
        for task, name in self.json["train"]["dev"].items():
            file = self._open(name)
            items = file.items(spanned=self._spanned())
            splits[task] = (items, file.packs("", items))
        return splits

    def _spanned(self) -> bool:
        return self.json["spec"]["train"]["loss_on"] == "all_answers"

    def question(self, question: dict[str, Any]) -> Split:
        file = self._open(question["file"])
        asks = question["asks"]
        items = file.items(answered=asks["gold"])
        file.demand(
            "prompt_offsets", all(len(prompt) > 0 for prompt in items.prompts), "a prompt in every item", "one without"
        )
        labels = file.lists("label") if asks["labels"] else []
        file.demand(
            "label_offsets", all(len(label) > 0 for label in labels), "labels of one token or more", "an empty one"
        )
        packs = partial(file.packs, items=items, once=True)
        return Split(items, labels, packs("labels_") if asks["labels"] else [], packs("gold_") if asks["gold"] else [])

    def _open(self, name: str) -> "_File":
        path = self.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise unreadable(path, error) from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.files[name]:
            raise DamagedRun(
                str(path), f"the file with SHA-256 {self.files[name][:12]}…", f"SHA-256 {digest[:12]}…", REMEDY
            )
        try:
            return _File(path, load_safetensors(data), self.vocab_size, self.json["max_positions"])
        except (SafetensorError, ValueError, KeyError) as error:
            raise DamagedRun(str(path), "tensors in the safetensors format", str(error), REMEDY) from error


def check_schema(value: Any, path: Path) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(value))
    if error is not None:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
        message = error.message if len(error.message) <= 300 else error.message[:300] + "…"
        raise DamagedRun(
            f"{path}: {place.lstrip('.') or 'the whole'}", "what its schema says (format 1)", message, REMEDY
        )


class _File:
    """Tensors of one file, each checked as it is taken."""

    def __init__(self, path: Path, tensors: dict[str, np.ndarray], vocab_size: int, max_positions: int):
        self.path, self.tensors, self.vocab_size, self.max_positions = path, tensors, vocab_size, max_positions

    def demand(self, tensor: str, holds: bool, expected: str, got: str) -> None:
        if not holds:
            raise DamagedRun(f"{self.path}: tensor {tensor}", expected, got, REMEDY)

    def take(self, name: str, dtype: type, length: int | None = None) -> np.ndarray:
        kind = np.dtype(dtype).name
        self.demand(name, name in self.tensors, f"{kind} values", "no such tensor")
        tensor = self.tensors[name]
        shape = "any number of" if length is None else str(length)
        fits = tensor.dtype == dtype and tensor.ndim == 1 and length in (None, len(tensor))
        self.demand(name, fits, f"{shape} {kind} values", f"{tensor.dtype.name} {list(tensor.shape)}")
        return tensor

    def whole(self, name: str, dtype: type, length: int | None = None, below: int | None = None) -> np.ndarray:
        tensor = self.take(name, dtype, length)
        limit = 2**31 if below is None else below
        inside = len(tensor) == 0 or (tensor.min() >= 0 and tensor.max() < limit)
        self.demand(name, bool(inside), f"whole numbers from 0 to {limit - 1}", "others")
        return tensor

    def finite(self, name: str, length: int) -> np.ndarray:
        tensor = self.take(name, np.float64, length)
        self.demand(name, bool((np.isfinite(tensor) & (tensor >= 0)).all()), "finite numbers of 0 or more", "others")
        return tensor

    def offsets(self, name: str, end: int) -> np.ndarray:
        tensor = self.take(name, np.int64)
        rising = len(tensor) > 0 and tensor[0] == 0 and tensor[-1] == end and bool((np.diff(tensor) >= 0).all())
        self.demand(name, bool(rising), f"rising offsets from 0 to {end}", "others")
        return tensor

    def lists(self, name: str) -> list[np.ndarray]:
        ids = self.whole(f"{name}_ids", np.int32, below=self.vocab_size)
        offsets = self.offsets(f"{name}_offsets", len(ids))
        return [ids[a:b] for a, b in pairwise(offsets)]

    def items(self, answered: bool = True, spanned: bool = False) -> Items:
        prompts, answers = self.lists("prompt"), self.lists("answer")
        self.demand("answer_offsets", len(prompts) == len(answers), f"{len(prompts)} items", f"{len(answers)}")
        for prompt, answer in zip(prompts, answers, strict=True):
            length = len(prompt) + len(answer)
            self.demand(
                "answer_offsets",
                length <= self.max_positions,
                f"items of at most {self.max_positions} tokens",
                str(length),
            )
            if answered:
                self.demand(
                    "answer_offsets",
                    len(answer) > 0 and length > 1,
                    "an answer that can be learnt in every item",
                    "one without",
                )
        return Items(prompts, answers, self._spans(prompts) if spanned else None)

    def _spans(self, prompts: list[np.ndarray]) -> list[np.ndarray]:
        """Earlier answers that are learnt too: each [from, to) in its prompt, none at its first token."""
        places = self.whole("span_ids", np.int32)
        offsets = self.offsets("span_offsets", len(places))
        spans = [places[a:b] for a, b in pairwise(offsets)]
        self.demand("span_offsets", len(spans) == len(prompts), f"{len(prompts)} items", f"{len(spans)}")
        for prompt, span in zip(prompts, spans, strict=True):
            rises = len(span) % 2 == 0 and bool((span[::2] < span[1::2]).all() and (span[1:-1:2] <= span[2::2]).all())
            inside = len(span) == 0 or (span[0] > 0 and span[-1] <= len(prompt))
            self.demand("span_ids", rises and bool(inside), "rising spans inside the prompt", str(span.tolist()))
        return spans

    def packs(self, prefix: str, items: Items, shares: bool = True, once: bool = False) -> list[Entries]:
        """`once`: every item stands in one entry exactly."""
        item = self.whole(f"{prefix}entry_item", np.int32, below=len(items))
        group = self.whole(f"{prefix}entry_group", np.int32, len(item))
        shared = self.whole(f"{prefix}entry_shared", np.int32, len(item))
        offsets = self.offsets(f"{prefix}pack_offsets", len(item))
        self.demand(
            f"{prefix}entry_shared", shares or not shared.any(), "0: nothing is shared in this layout", "others"
        )
        if once:
            self.demand(
                f"{prefix}entry_item",
                bool((np.bincount(item, minlength=len(items)) == 1).all()),
                "every item once",
                "others",
            )
        index = np.arange(len(item))
        packs = []
        for a, b in pairwise(offsets):
            self.demand(f"{prefix}pack_offsets", b > a, "packs of one entry or more", "an empty one")
            pack = Entries(index[a:b], item[a:b], group[a:b], shared[a:b])
            self._check_groups(f"{prefix}entry_shared", items, pack)
            packs.append(pack)
        return packs

    def _check_groups(self, name: str, items: Items, pack: Entries) -> None:
        first: dict[int, int] = {}
        for k, (item, group, shared) in enumerate(zip(pack.item, pack.group, pack.shared, strict=True)):
            follows = k == 0 or pack.group[k - 1] == group or int(group) not in first
            self.demand(name, follows, "entries of a group to follow one another", f"group {group} in two places")
            with_first = first.setdefault(int(group), k)
            if shared == 0 and pack.shared[with_first] == 0:
                continue
            prompt, other = items.prompts[item], items.prompts[pack.item[with_first]]
            same = (
                shared == pack.shared[with_first]
                and shared < len(prompt)
                and np.array_equal(prompt[:shared], other[:shared])
                and (items.spans is None or shared < min(items.spans[item], default=len(prompt)))
            )
            self.demand(
                name,
                bool(same),
                "a prefix, shorter than the prompt, that a whole group shares",
                f"{shared} in item {item}",
            )
