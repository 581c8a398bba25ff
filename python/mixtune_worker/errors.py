"""Errors for the person who must act: place, what was expected, what was got, remedy."""

from typing import Any


class MixtuneError(Exception):
    """What a person did or has leads to this; `status` is the exit status of the process."""

    status = 1

    def __init__(self, place: str, expected: str, got: str, remedy: str):
        super().__init__(f"{place}: expected {expected}, got {got}.\n  {remedy}")
        self.place, self.expected, self.got, self.remedy = place, expected, got, remedy

    def fields(self) -> dict[str, str]:
        return {"place": self.place, "expected": self.expected, "got": self.got, "remedy": self.remedy}


class DamagedRun(MixtuneError):
    """The prepared run cannot be read or is not what its digests say."""

    status = 2


class Again(Exception):
    """One of several ranks ran out of memory: all begin anew, from the last checkpoint."""

    def __init__(self, text: str, **task: Any):
        super().__init__(text)
        self.text, self.task = text, task


class Interrupted(Exception):
    """A signal asked to stop, and all that is worth keeping was saved."""


def fault(error: BaseException) -> dict[str, str]:
    """The fields of a {@link MixtuneError} for an exception that no code expected."""
    return {
        "place": "mixtune-worker",
        "expected": "no fault",
        "got": f"{type(error).__name__}: {error}",
        "remedy": "The same command goes on from the last checkpoint; with --debug it shows where this happened.",
    }
