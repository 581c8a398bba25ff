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


@dataclass(frozen=True)
class Tree:
    """
    What may follow a prompt: one answer, or many labels. What several begin with alike is there once. F tokens are fed,
    depth first; the last of each branch is only predicted. Of R loss rows, those of a branch are a path.
    """

    ids: np.ndarray  # [F]
    depths: np.ndarray  # [F]
    ends: np.ndarray  # [F] token k is seen by k <= q < ends[k]
    rows: np.ndarray  # [R] tokens that predict; -1: the prompt's last
    targets: np.ndarray  # [R]
    branch: np.ndarray  # [R] the branch that ends with the target; -1 inside
    before: np.ndarray  # [R] the loss row of the branch's token before; -1: the target is its first

    def without_first(self) -> "Tree":
        """As it stands behind an empty prompt: nothing predicts a first token."""
        kept = self.rows >= 0
        place = np.where(kept, np.cumsum(kept) - 1, -1)
        before = place[self.before[kept]]
        return Tree(self.ids, self.depths, self.ends, self.rows[kept], self.targets[kept], self.branch[kept], before)


Branches = Callable[[int], Tree]


def chain(answer: np.ndarray) -> Tree:
    """The tree of one answer."""
    fed, places = len(answer) - 1, np.arange(len(answer))
    branch = np.where(places == fed, 0, -1)
    return Tree(answer[:-1], places[:-1], np.full(fed, fed), places - 1, answer, branch, places - 1)


def tree_of(labels: Sequence[np.ndarray]) -> Tree:
    """The tree of many labels."""
    ids, depths, ends, rows, targets, branch, before = ([] for _ in range(7))
    path, edges, last = [-1], [], []  # of the label before: tokens that predict, loss rows, ids
    for number in sorted(range(len(labels)), key=lambda k: labels[k].tolist()):
        label = labels[number].tolist()
        common = 0
        while common < min(len(last), len(label) - 1) and last[common] == label[common]:
            common += 1
        for token in path[common + 1 :]:
            ends[token] = len(ids)
        del path[common + 1 :], edges[common:]
        for depth, target in enumerate(label[common:], common):
            if len(path) == depth:
                path.append(len(ids))
                ids.append(label[depth - 1])
                depths.append(depth - 1)
                ends.append(0)
            before.append(edges[-1] if edges else -1)
            edges.append(len(rows))
            rows.append(path[depth])
            targets.append(target)
            branch.append(number if depth == len(label) - 1 else -1)
        last = label
    for token in path[1:]:
        ends[token] = len(ids)
    return Tree(*(np.array(part, np.int64) for part in (ids, depths, ends, rows, targets, branch, before)))


def path_sums(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """[R] of each loss row the sum over its path, from the first token of its branch on."""
    sums, at = values, before
    while (at >= 0).any():
        sums = sums + np.where(at >= 0, sums[at], 0)
        at = np.where(at >= 0, at[at], -1)
    return sums


@dataclass(frozen=True)
class Items:
    """Prompts and gold answers as token ids, [n] each, and [from, to) places of earlier answers that are learnt too."""

    prompts: list[np.ndarray]
    answers: list[np.ndarray]
    spans: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.prompts)

    def learned(self, item: int) -> np.ndarray:
        """Places of a prompt's tokens that the loss is on, rising."""
        if self.spans is None:
            return np.empty(0, np.int64)
        pairs = self.spans[item].reshape(-1, 2)
        return np.concatenate([np.empty(0, np.int64), *(np.arange(a, b) for a, b in pairs)])

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
    branch: np.ndarray  # [R] as of Tree; -1 of what is in no tree
    before: np.ndarray  # [R] likewise
    owner: np.ndarray  # [T] place in the Entries of who has the token; of a shared prefix the first
    places: np.ndarray  # [T] of the token in its item


class _Layer:
    """Lays tokens and loss rows one segment after another."""

    def __init__(self) -> None:
        self.length = self.num_rows = 0
        self.tokens: list[tuple[np.ndarray, ...]] = []  # ids, positions, ends, owner, places
        self.rows: list[tuple[np.ndarray, ...]] = []  # as of Pack, from rows on

    def lay(self, ids: np.ndarray, position: int, entry: int, place: int) -> np.ndarray:
        """
        :param position: of the first token in its sequence
        :param place: of the first token in its item
        :returns: the ends of what was laid, to be set when they are known
        """
        ends, along = np.empty(len(ids), np.int64), np.arange(len(ids))
        self.tokens.append((ids, along + position, ends, np.full(len(ids), entry), along + place))
        self.length += len(ids)
        return ends

    def grow(self, tree: Tree, position: int, entry: int) -> None:
        """Lays a tree behind the token that was laid last."""
        start, first = self.length, self.num_rows
        positions = tree.depths + position
        self.tokens.append((tree.ids, positions, tree.ends + start, np.full(len(tree.ids), entry), positions))
        self.length += len(tree.ids)
        before = np.where(tree.before < 0, -1, tree.before + first)
        self._add(tree.rows + start, tree.targets, entry, tree.branch, before)

    def predict(self, rows: np.ndarray, targets: np.ndarray, entry: int) -> None:
        """Loss rows of what is in no tree."""
        self._add(rows, targets, entry, *np.full((2, len(rows)), -1))

    def _add(self, rows: np.ndarray, targets: np.ndarray, entry: int, branch: np.ndarray, before: np.ndarray) -> None:
        self.rows.append((rows, targets, np.full(len(rows), entry), branch, before))
        self.num_rows += len(rows)

    def pack(self) -> Pack:
        tokens = list(zip(*self.tokens, strict=True)) if self.tokens else [()] * 5
        rows = zip(*self.rows, strict=True) if self.rows else [()] * 5
        return Pack(*map(_joined, tokens[:3]), *map(_joined, rows), *map(_joined, tokens[3:]))


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)


def lay_tree(items: Items, entries: Entries, branches: Branches, loss_on: str = "answer") -> Pack:
    """
    Each entry sees its group's prefix, its own prompt and, in each branch, that branch. The last token of a branch is
    not fed.
    """
    layer = _Layer()
    for members in _groups(entries):
        shared = int(entries.shared[members[0]])
        of_prefix = layer.lay(items.prompts[entries.item[members[0]]][:shared], 0, members[0], 0)
        for entry in members:
            item = int(entries.item[entry])
            prompt, tree = items.prompts[item], branches(item)
            start = layer.length
            of_rest = layer.lay(prompt[shared:], shared, entry, shared)
            if loss_on == "all" and len(prompt) > 1:
                layer.predict(np.arange(start, layer.length - 1), prompt[1:], entry)
            elif len(learned := items.learned(item)) > 0:
                layer.predict(learned - shared + start - 1, prompt[learned], entry)
            layer.grow(tree if len(prompt) > 0 else tree.without_first(), len(prompt), entry)
            of_rest[:] = layer.length
        of_prefix[:] = layer.length
    return layer.pack()


def lay_concatenated(items: Items, entries: Entries, loss_on: str = "answer") -> Pack:
    """
    The entries of a group one after another, plainly causal, positions running on. The last token of a group is not
    fed.
    """
    layer = _Layer()
    for members in _groups(entries):
        laid: list[np.ndarray] = []
        start = layer.length
        for entry in members:
            item = int(entries.item[entry])
            prompt, answer = items.prompts[item], items.answers[item]
            whole = np.concatenate([prompt, answer])
            at = layer.length
            laid.append(layer.lay(whole[:-1] if entry == members[-1] else whole, at - start, entry, 0))
            first = 1 if loss_on == "all" else max(1, len(prompt))
            targets = np.concatenate([items.learned(item), np.arange(first, len(whole))])
            layer.predict(at + targets - 1, whole[targets], entry)
        for ends in laid:
            ends[:] = layer.length
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
