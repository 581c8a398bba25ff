"""What is asked of a model: likelihoods of labels and gold answers, and text. Answers are tensors; what they mean is
for others to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from transformers import DynamicCache

from .attention import RowsView
from .errors import Again, Interrupted, MixtuneError
from .files import write_whole
from .memory import halve, is_out_of_memory, most_parts
from .messages import say
from .model import Model
from .packs import Branches, Entries, Items, Turn, chain, lay_tree, path_sums, split, tree_of, turns
from .prepared import Prepared
from .ranks import ALONE, Ranks
from .run_dir import add_note

MAX_ROWS = {"cpu": 16, "cuda": 128}
PROMPT_TOKENS = {"cpu": 2048, "cuda": 32768}
"""Tokens of prompts through the net in one pass, padding included."""


class Asker:
    """Asks a finished model everything that its run is asked."""

    def __init__(
        self,
        prepared: Prepared,
        run_dir: Path,
        model: Model,
        step: int,
        stopped: Callable[[], bool],
        ranks: Ranks = ALONE,
        parts: int = 1,
    ):
        self.prepared, self.run_dir, self.model, self.step, self.stopped = prepared, run_dir, model, step, stopped
        self.ranks, self.parts = ranks, parts
        self.done = self.total = 0

    @torch.no_grad()
    def run(self) -> None:
        """
        :raises Interrupted: the answers that were complete are kept
        :raises Again: likewise; one of several ranks ran out of memory
        """
        if self.parts > 1 and self.ranks.is_first:
            add_note(self.run_dir, self._thrift())
        questions = self.prepared.json["questions"]
        open_ones = self.ranks.of_first([question for question in questions if not self._is_answered(question)])
        tests = list(dict.fromkeys(question["task"] for question in open_ones if question["opens_test"]))
        say(
            "progress",
            phase="load",
            done=0,
            total=len(open_ones),
            unit="examples",
            **({"opens_test": tests} if tests else {}),
        )
        asked = [self.prepared.question(question) for question in open_ones]
        pairs = list(zip(open_ones, asked, strict=True))
        self.total = sum(len(content.items) * _num_asks(question) for question, content in pairs)
        for question, content in pairs:
            asks, items, answers = question["asks"], content.items, {}
            if asks["labels"]:
                tree = tree_of(content.labels)
                answers["label_logprobs"] = self._logprobs(
                    items, content.label_packs, lambda _, tree=tree: tree, len(content.labels)
                )
            if asks["gold"]:
                gold = self._logprobs(
                    items, content.gold_packs, lambda item, items=items: chain(items.answers[item]), 1
                )
                answers["gold_logprobs"] = gold[:, 0].copy()
            if asks["text"] is not None:
                answers |= self._texts(items, **asks["text"])
            if self.ranks.is_first:
                path = self._path(question)
                path.parent.mkdir(exist_ok=True)
                write_whole(path, save(answers, self._mark(question)))

    def _path(self, question: dict[str, Any]) -> Path:
        return self.run_dir / "answers" / f"{question['task']}.{question['split']}.safetensors"

    def _mark(self, question: dict[str, Any]) -> dict[str, str]:
        return {"prepared": self.prepared.files[question["file"]], "step": str(self.step)}

    def _is_answered(self, question: dict[str, Any]) -> bool:
        try:
            with safe_open(self._path(question), "np") as file:
                return file.metadata() == self._mark(question)
        except (OSError, SafetensorError):
            return False

    def _logprobs(self, items: Items, packs: list[Entries], branches: Branches, num_branches: int) -> np.ndarray:
        """log p of each branch of each item, the sum over its tokens: [n, branches] in nats."""
        sums = np.zeros((len(items), num_branches))
        parts = self.parts if self.ranks.count > 1 else 1
        for turn in turns(packs, self.ranks.rank, self.ranks.count, parts, items.num_tokens):
            while not self._score(items, turn, branches, sums):
                self._halve(most_parts(packs))
            self._advance(turn.num_together)
        return np.sum(self.ranks.gather(sums), axis=0)

    def _score(self, items: Items, turn: Turn, branches: Branches, sums: np.ndarray) -> bool:
        """Sets the sums of what has its turn; False if there was no memory for it."""
        try:
            for part in split(turn.entries, self.parts) if self.ranks.count == 1 else [turn.entries]:
                laid = lay_tree(items, part, branches)
                nll = path_sums(self.model.nll(laid).double().cpu().numpy(), laid.before)
                last = laid.branch >= 0
                if turn.counts:
                    sums[part.item[laid.entry[last]], laid.branch[last]] = -nll[last]
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _texts(self, items: Items, max_new_tokens: int, end_ids: list[int]) -> dict[str, np.ndarray]:
        written: list[list[int]] = [[] for _ in range(len(items))]
        ended = np.zeros(len(items), bool)
        order = sorted(range(len(items)), key=lambda item: len(items.prompts[item]))
        while order:
            batches = self._batches([len(items.prompts[item]) for item in order])
            start = sum(batches[: self.ranks.rank])
            batch = order[start : start + batches[self.ranks.rank]]
            try:
                texts = self._write([items.prompts[item] for item in batch], max_new_tokens, set(end_ids))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                texts = None
            if texts is None:
                self._halve(most=2 * self.parts if len(batch) > 1 else 1)
                continue
            for of_rank in self.ranks.gather(list(zip(batch, texts, strict=True))):
                for item, ids in of_rank:
                    written[item], ended[item] = ids, bool(ids) and ids[-1] in end_ids
            self._advance(sum(batches))
            order = order[sum(batches) :]
        return {
            "text_ids": np.array([token for ids in written for token in ids], np.int32),
            "text_offsets": np.cumsum([0, *map(len, written)], dtype=np.int64),
            "text_stopped": np.where(ended, 0, 1).astype(np.int32),
        }

    def _batches(self, lengths: list[int]) -> list[int]:
        """How many prompts, shortest first, each rank reads together."""
        batches: list[int] = []
        for rank in range(self.ranks.count):
            left = lengths[sum(batches) :]
            fair = -(-len(left) // (self.ranks.count - rank))
            batches.append(min(fair, _batch(left, self.model.device.type, self.parts)))
        return batches

    def _write(self, prompts: list[np.ndarray], max_new_tokens: int, end_ids: set[int]) -> list[list[int]]:
        """
        The likeliest token after each prompt, and on. Rows that are finished leave once they are half of all. Ranks
        continue until all of them are finished.
        """
        device = self.model.device
        written: list[list[int]] = [[] for _ in prompts]
        room = [min(max_new_tokens, self.prepared.json["max_positions"] - len(prompt)) for prompt in prompts]
        rows = list(range(len(prompts)))
        cache = DynamicCache()
        unfinished = {row for row in rows if room[row] > 0}
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        logits = keys = taken = lengths  # stay so in a rank without prompts, which reads none of them
        if prompts:
            ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
            for row, prompt in enumerate(prompts):
                ids[row, : len(prompt)] = torch.from_numpy(prompt.astype(np.int64))
            ids = ids.to(device)
            places = torch.arange(ids.shape[1], device=device)[None].expand_as(ids)
            keys = torch.where(places < lengths[:, None], places, -1)
            logits = self.model.write_on(ids, places, RowsView(places, keys), lengths - 1, cache)
        else:
            self._idle()
        while True:
            if unfinished:
                taken = likeliest(logits)
                for row, token in zip(rows, taken.tolist(), strict=True):
                    if row in unfinished:
                        written[row].append(token)
                        if token in end_ids or len(written[row]) == room[row]:
                            unfinished.discard(row)
            if not self.ranks.any(bool(unfinished)):
                return written
            if not unfinished:
                self._idle()
                continue
            if len(unfinished) <= len(rows) // 2:
                keep = torch.tensor([i for i, row in enumerate(rows) if row in unfinished], device=device)
                rows = [row for row in rows if row in unfinished]
                cache.batch_select_indices(keep)
                keys, lengths, taken = keys[keep], lengths[keep], taken[keep]
            keys = torch.cat([keys, lengths[:, None]], 1)
            at = lengths[:, None]
            logits = self.model.write_on(taken[:, None], at, RowsView(at, keys), torch.zeros_like(lengths), cache)
            lengths = lengths + 1

    def _idle(self) -> None:
        """One token through the net, for other ranks' sake: weights are gathered from all."""
        first = torch.zeros(1, 1, dtype=torch.long, device=self.model.device)
        self.model.write_on(first, first, RowsView(first, first), first[0], DynamicCache())

    def _halve(self, most: int) -> None:
        self.parts = halve(self.parts, most)
        if self.ranks.count > 1:
            raise Again(self._thrift(), parts=self.parts)
        say("note", text=self._thrift())
        add_note(self.run_dir, self._thrift())

    def _thrift(self) -> str:
        return f"The device ran out of memory in scoring: packs are cut in {self.parts} parts."

    def _advance(self, examples: int) -> None:
        self.done += examples
        say("progress", phase="eval", done=self.done, total=self.total, unit="examples")
        if self.stopped():
            raise Interrupted()


def _num_asks(question: dict[str, Any]) -> int:
    asks = question["asks"]
    return asks["labels"] + asks["gold"] + (asks["text"] is not None)


def _batch(lengths: list[int], device: str, parts: int) -> int:
    """How many prompts, shortest first, are read together."""
    rows = 1
    limit = max(1, MAX_ROWS[device] // parts)
    while rows < min(limit, len(lengths)) and (rows + 1) * lengths[rows] <= PROMPT_TOKENS[device] // parts:
        rows += 1
    return rows


def likeliest(logits: torch.Tensor) -> torch.Tensor:
    """[B]; ties go to the lower id."""
    best = logits.max(-1, keepdim=True).values
    if not bool(torch.isfinite(best).all()):
        raise MixtuneError(
            "generation",
            "finite logits",
            "none",
            "The model's weights are damaged or its training diverged: choose an earlier checkpoint.",
        )
    ids = torch.arange(logits.shape[-1], device=logits.device)
    return torch.where(logits == best, ids, logits.shape[-1]).min(-1).values
