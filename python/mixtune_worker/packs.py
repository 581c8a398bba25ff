"""Items laid out for one forward pass: flat tokens, who may see whom, and which hidden states predict which target.

Tokens stand in the order of a depth-first walk (shared prefix, then each entry's rest of the prompt, then its
branches), so that those who see a token are a range: token k is seen by q where k <= q < ends[k]. One integer a token
says it all.

    prefix | rest 0 | answer 0 | rest 1 | answer 1

    ends of the prefix: T; of rest 0: where rest 1 begins; of answer 0: where answer 0 ends
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

Branches = Callable[[int], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Items:
    """Prompts and gold answers as token ids, [n] each."""

    prompts: list[np.ndarray]
    answers: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.prompts)

    def num_tokens(self, item: int) -> int:
        return len(self.prompts[item]) + len(self.answers[item])


@dataclass(frozen=True)
class Entries:
    """The items of one pack, [E] each; entries of a group follow one another and share their first `shared` tokens."""

    index: np.ndarray  # among all entries of the file
    item: np.ndarray
    group: np.ndarray
    shared: np.ndarray

    def __len__(self) -> int:
        return len(self.item)

    def take(self, part: np.ndarray) -> "Entries":
        return Entries(self.index[part], self.item[part], self.group[part], self.shared[part])


@dataclass(frozen=True)
class Pack:
    """T tokens through the net and R loss rows."""

    ids: np.ndarray  # [T]
    positions: np.ndarray  # [T]
    ends: np.ndarray  # [T] token k is seen by k <= q < ends[k]
    rows: np.ndarray  # [R] tokens whose hidden states predict
    targets: np.ndarray  # [R]
    entry: np.ndarray  # [R] place in the Entries that were laid
    branch: np.ndarray  # [R]


class _Layer:
    """Lays tokens and loss rows one segment after another."""

    def __init__(self) -> None:
        self.length = 0
        self.ids: list[np.ndarray] = []
        self.positions: list[np.ndarray] = []
        self.segments: list[list[int]] = []  # start, stop, end of those who see it
        self.rows: list[np.ndarray] = []
        self.targets: list[np.ndarray] = []
        self.marks: list[tuple[int, int, int]] = []  # entry, branch, number of rows

    def lay(self, ids: np.ndarray, position: int) -> list[int]:
        start, stop = self.length, self.length + len(ids)
        self.ids.append(ids)
        self.positions.append(np.arange(position, position + len(ids)))
        self.length = stop
        segment = [start, stop, stop]
        self.segments.append(segment)
        return segment

    def predict(self, rows: np.ndarray, targets: np.ndarray, entry: int, branch: int) -> None:
        self.rows.append(rows)
        self.targets.append(targets)
        self.marks.append((entry, branch, len(rows)))

    def pack(self) -> Pack:
        ends = np.empty(self.length, np.int64)
        for start, stop, end in self.segments:
            ends[start:stop] = end
        entry, branch, counts = np.array(self.marks, np.int64).reshape(-1, 3).T
        return Pack(
            _joined(self.ids),
            _joined(self.positions),
            ends,
            _joined(self.rows),
            _joined(self.targets),
            np.repeat(entry, counts),
            np.repeat(branch, counts),
        )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)


def lay_tree(items: Items, entries: Entries, branches: Branches, loss_on: str = "answer") -> Pack:
    """
    Each entry sees its group's prefix, its own prompt and, in each branch, that branch. The last token of a branch is
    not fed.
    """
    layer = _Layer()
    for members in _groups(entries):
        shared = int(entries.shared[members[0]])
        prefix = layer.lay(items.prompts[entries.item[members[0]]][:shared], 0)
        for entry in members:
            item = int(entries.item[entry])
            prompt = items.prompts[item]
            rest = layer.lay(prompt[shared:], shared)
            if loss_on == "all" and len(prompt) > 1:
                layer.predict(np.arange(rest[0], rest[1] - 1), prompt[1:], entry, 0)
            last = [layer.length - 1] if len(prompt) > 0 else []
            for number, branch in enumerate(branches(item)):
                start, stop, _ = layer.lay(branch[:-1], len(prompt))
                rows = np.concatenate([np.array(last, np.int64), np.arange(start, stop)])
                layer.predict(rows, branch[len(branch) - len(rows) :], entry, number)
            rest[2] = layer.length
        prefix[2] = layer.length
    return layer.pack()


def lay_concatenated(items: Items, entries: Entries, loss_on: str = "answer") -> Pack:
    """
    The entries of a group one after another, plainly causal, positions running on. The last token of a group is not
    fed.
    """
    layer = _Layer()
    for members in _groups(entries):
        laid: list[list[int]] = []
        start = layer.length
        for entry in members:
            item = int(entries.item[entry])
            prompt, answer = items.prompts[item], items.answers[item]
            whole = np.concatenate([prompt, answer])
            segment = layer.lay(whole[:-1] if entry == members[-1] else whole, layer.length - start)
            laid.append(segment)
            first = 1 if loss_on == "all" else max(1, len(prompt))
            layer.predict(np.arange(segment[0] + first - 1, segment[0] + len(whole) - 1), whole[first:], entry, 0)
        for segment in laid:
            segment[2] = layer.length
    return layer.pack()


def _groups(entries: Entries) -> list[range]:
    starts = [0, *(np.flatnonzero(np.diff(entries.group)) + 1).tolist(), len(entries)]
    return [range(a, b) for a, b in pairwise(starts) if b > a]


def split(entries: Entries, parts: int, by_group: bool = False) -> list[Entries]:
    """
    A pack's entries in at most `parts` runs of nearly equal length. Each run repeats the prefix.

    :param by_group: groups stay whole
    """
    units = (
        [np.asarray(group) for group in _groups(entries)] if by_group else [np.array([i]) for i in range(len(entries))]
    )
    runs = np.array_split(np.arange(len(units)), min(parts, len(units)))
    return [entries.take(np.concatenate([units[i] for i in run])) for run in runs]


@dataclass(frozen=True)
class Turn:
    """What one rank puts through its net at a time, while the others have turns of their own."""

    entries: Entries
    counts: bool  # not, where a rank is left with nothing: it takes part, as weights are gathered from all
    num_together: int  # entries of all ranks


def turns(
    packs: list[Entries], rank: int, ranks: int, parts: int, length: Callable[[int], int], by_group: bool = False
) -> list[Turn]:
    """
    Packs cut in `parts`; of several ranks, this one's share, in as many turns as others have, of about as many tokens.
    Over all ranks entries keep their order.

    :param length: tokens of an item
    """
    if ranks == 1:
        return [Turn(part, True, len(part)) for pack in packs for part in split(pack, parts, by_group)]
    units: list[Entries] = []
    for number, pack in enumerate(packs):
        apart = Entries(
            pack.index, pack.item, pack.group.astype(np.int64) + (number << 32), pack.shared
        )  # packs number their groups alike
        units += split(apart, num_units(pack, by_group), by_group)
    sizes = np.array([sum(length(int(item)) for item in unit.item) for unit in units])
    each = -(-len(packs) // ranks) * parts
    run = ((sizes.cumsum() - sizes / 2) * (ranks * each / max(1, sizes.sum()))).astype(
        int
    )  # the one in which its middle lies
    dealt = [[units[i] for i in np.flatnonzero(run == k)] for k in range(ranks * each)]
    taken = []
    for turn in range(each):
        mine = dealt[rank * each + turn]
        num_together = sum(len(unit) for other in range(ranks) for unit in dealt[other * each + turn])
        taken.append(Turn(_as_one(mine or [units[0]]), len(mine) > 0, num_together))
    return taken


def _as_one(units: list[Entries]) -> Entries:
    return Entries(*(np.concatenate([getattr(unit, field.name) for unit in units]) for field in fields(Entries)))


def num_units(entries: Entries, by_group: bool = False) -> int:
    """Into how many runs {@link split} can cut."""
    return len(_groups(entries)) if by_group else len(entries)
