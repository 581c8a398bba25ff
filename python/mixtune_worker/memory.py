"""Work that is cut in smaller parts when the device has no room for it."""

import gc

import torch

from .errors import MixtuneError
from .packs import Entries, num_units


def is_out_of_memory(error: BaseException) -> bool:
    """On a processor PyTorch has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


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
