"""Versions of the packages that the worker computes with."""

import importlib.metadata as metadata
import re
import sys

from .errors import MixtuneError

NEEDED = {
    "torch": "2.6",
    "transformers": "4.57",
    "peft": "0.17",
    "safetensors": "0.4.3",
    "numpy": "1.26",
    "jsonschema": "4.18",
}
FOR_4_BITS = {"bitsandbytes": "0.46"}


def check_packages(needed: dict[str, str] = NEEDED) -> dict[str, str]:
    """
    Versions by name; none is imported.

    :raises MixtuneError: one is not there or too old
    """
    found: dict[str, str] = {}
    for name, least in needed.items():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise _unfit(name, least, "no such package") from None
        if _numbers(found[name]) < _numbers(least):
            raise _unfit(name, least, found[name])
    return found


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3]]


def _unfit(name: str, least: str, got: str) -> MixtuneError:
    return MixtuneError(
        f"package {name} of {sys.executable}",
        f"{least} or newer",
        got,
        "Run mixtune setup torch, or install it with pip.",
    )
