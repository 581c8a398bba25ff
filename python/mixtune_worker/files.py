"""Whole files in, whole files out: temp + fsync + rename, so that a reader never sees half a file; append-only logs;
digests."""

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from .errors import DamagedRun, MixtuneError
from .messages import dumps


def write_whole(path: Path, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    temp = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temp, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
        sync_folder(path.parent)
    except OSError as error:
        remove_quietly(temp)
        raise write_error(path, error) from error


def write_json(path: Path, value: Any) -> None:
    """A record in lines that people can read, as src/runs/run-dir.ts writes them."""
    write_whole(path, dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The record of a run directory, absent if there is no such file."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise MixtuneError(
            str(path),
            "JSON",
            _reason(error),
            "The file was damaged: restore it, or delete the run's folder and run it again.",
        ) from error


def append_line(path: Path, value: Any) -> None:
    """Adds a line to a log; a last line that a killed writer left unfinished is cut off first."""
    try:
        with open(path, "a+b") as file:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            file.write((dumps(value) + "\n").encode())
    except OSError as error:
        raise write_error(path, error) from error


def read_lines(path: Path) -> list[Any]:
    """All lines of a log that were written to their end."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    try:
        return [json.loads(line) for line in whole.splitlines() if line.strip()]
    except ValueError as error:
        raise MixtuneError(
            str(path), "one JSON value a line", _reason(error), "Restore the file, or delete the run's folder."
        ) from error


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_quietly(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_error(path: Path, error: OSError) -> MixtuneError:
    return MixtuneError(
        str(path),
        "room and permission to write it",
        _reason(error),
        "Free disk space or give this user permission; what was complete before stays.",
    )


def unreadable(path: Path, error: Exception) -> DamagedRun:
    return DamagedRun(str(path), "a readable file", _reason(error), "Prepare the run again.")


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).strip()
