"""Work that is cut in smaller parts when the device has no room for it."""

import gc
from dataclasses import dataclass

import torch

from .errors import MixtuneError
from .packs import Entries, num_units


def is_out_of_memory(error: BaseException) -> bool:
    """On a processor PyTorch has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


WHOLE_PARTS = 4
"""
Into how many parts packs are cut before blocks are computed twice instead. Smaller parts keep a device busy badly;
computing twice costs a third more work.
"""


@dataclass(frozen=True)
class Thrift:
    """How a step is done in little memory."""

    parts: int = 1  # of each pack, one after another
    recompute: bool = False  # blocks keep their input alone, and are computed again on the way back (arXiv 1604.06174)

    def more(self, most: int) -> "Thrift":
        """
        What to try when this was not enough.

        :param most: into how many parts packs can be cut
        :raises MixtuneError: there is nothing left to try
        """
        if not self.recompute and self.parts >= min(WHOLE_PARTS, most):
            free_memory()
            return Thrift(1, True)
        return Thrift(halve(self.parts, most), self.recompute)

    def text(self) -> str:
        cut = [f"packs are cut in {self.parts} parts"] if self.parts > 1 else []
        return " and ".join([*cut, *(["blocks are computed twice"] if self.recompute else [])])


def halve(parts: int, most: int) -> int:
    """
    Twice as many parts of what goes through the net at once.

    :param most: into how many it can be cut
    :raises MixtuneError: it is cut so already
    """
    free_memory()
    if parts >= most:
        raise MixtuneError(
            "memory of the device",
            "room for one example",
            "none, though everything was cut to single ones",
            "Lower train.cutoff_len, use precision bfloat16 or method lora, choose a smaller model or a larger device.",
        )
    return parts * 2


def most_parts(packs: list[Entries], by_group: bool = False) -> int:
    return max(num_units(pack, by_group) for pack in packs)
