"""What the worker says to whoever started it: one JSON object a line on standard output. All other prints go to
standard error."""

import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

_out: TextIO = sys.stdout
_listener: Callable[[dict[str, Any]], None] | None = None


def take_stdout() -> None:
    """Keeps standard output for messages: libraries that print, C ones included, then print to standard error."""
    global _out
    _out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def listen(listener: Callable[[dict[str, Any]], None] | None) -> None:
    """Gives messages to a function of this process in place of standard output."""
    global _listener
    _listener = listener


def say(kind: str, **fields: Any) -> None:
    if _listener is not None:
        _listener({"kind": kind, **fields})
        return
    _out.write(dumps({"kind": kind, **fields}) + "\n")
    _out.flush()


def dumps(value: Any, indent: int | None = None) -> str:
    """JSON as JavaScript writes it; numbers that are not finite are left out of their object."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(_finite(value), indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(member) for key, member in value.items() if not _is_undefined(member)}
    if isinstance(value, (list, tuple)):
        return [_finite(member) for member in value]
    return value


def _is_undefined(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
