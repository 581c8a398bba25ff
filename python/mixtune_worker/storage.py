"""Where laptop and cluster meet: a folder that both see, or an object store. All of it through fsspec, whose
packages hold any credentials."""

import base64
import json
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any

from .errors import MixtuneError
from .messages import dumps

PUTS_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"}
"""Protocols whose objects are there whole or not at all; elsewhere a file is written under another name and moved."""


class StorageError(MixtuneError):
    """May well pass: worth another attempt."""


class Storage:
    """Files by names relative to a root. Nothing half-written is ever seen under its name."""

    def __init__(self, uri: str):
        self.uri = uri.rstrip("/")
        try:
            from fsspec.core import url_to_fs
            from fsspec.implementations.local import LocalFileSystem

            self.fs, root = url_to_fs(self.uri, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise MixtuneError(
                self.uri,
                "storage that fsspec can open",
                str(error).splitlines()[0],
                f"Install the package for it beside {sys.executable} (s3fs for s3:, gcsfs for gs:, adlfs for az:), "
                "on every node.",
            ) from error
        self.root = root.rstrip("/")
        self.is_local = isinstance(self.fs, LocalFileSystem)
        protocol = self.fs.protocol
        self.puts_whole = bool(PUTS_WHOLE & set([protocol] if isinstance(protocol, str) else protocol))

    def place(self, name: str) -> str:
        return f"{self.uri}/{name}"

    def local_path(self, name: str) -> Path | None:
        """The file itself where no copy is needed to open it."""
        return Path(self._path(name)) if self.is_local else None

    def read(self, name: str) -> bytes | None:
        """None if there is no such file."""
        try:
            return self.fs.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except Exception as error:  # of as many classes as there are stores
            raise self._failed(name, "to read it", error) from error

    def read_json(self, name: str) -> Any:
        data = self.read(name)
        try:
            return None if data is None else json.loads(data)
        except ValueError as error:
            raise MixtuneError(self.place(name), "JSON", str(error), "Remove the file: it is written again.") from error

    def write(self, name: str, data: bytes | str) -> None:
        content = data.encode() if isinstance(data, str) else data
        self._whole(name, lambda path: self.fs.pipe_file(path, content))

    def write_json(self, name: str, value: Any) -> None:
        self.write(name, dumps(value, indent=1) + "\n")

    def put(self, file: Path, name: str) -> None:
        self._whole(name, lambda path: self.fs.put_file(str(file), path))

    def get(self, name: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        temp = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
        try:
            self.fs.get_file(self._path(name), str(temp))
            os.replace(temp, file)
        except FileNotFoundError as error:
            raise MixtuneError(
                self.place(name), "a file", "no such file", "Run the same command again: it is put there anew."
            ) from error
        except Exception as error:
            raise self._failed(name, "to read it", error) from error
        finally:
            temp.unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """What lies in a folder; nothing if there is none."""
        try:
            entries = self.fs.ls(self._path(folder), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise self._failed(folder, "to list it", error) from error
        names = {entry.rstrip("/").rsplit("/", 1)[-1] for entry in entries}
        return sorted(name for name in names if not name.startswith("."))

    def remove(self, name: str) -> None:
        """A file or a folder; fine if there is none."""
        try:
            self.fs.rm(self._path(name), recursive=True)
        except FileNotFoundError:
            pass
        except Exception as error:
            raise self._failed(name, "to remove it", error) from error

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _whole(self, name: str, fill: Any) -> None:
        path = self._path(name)
        folder, base = path.rsplit("/", 1)
        temp = path if self.puts_whole else f"{folder}/.{base}.{secrets.token_hex(4)}.tmp"
        try:
            if not self.puts_whole:
                self.fs.makedirs(folder, exist_ok=True)
            fill(temp)
            if self.is_local:
                os.replace(temp, path)
            elif temp != path:
                self.fs.mv(temp, path)
        except Exception as error:
            raise self._failed(name, "to write it", error) from error

    def _failed(self, name: str, what: str, error: Exception) -> StorageError:
        reason = (str(error).strip().splitlines() or [""])[0]
        return StorageError(
            self.place(name),
            f"room and permission {what}",
            f"{type(error).__name__}: {reason}"[:300],
            "Check the storage and who may use it; what was complete before stays.",
        )


REQUEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def serve(uri: str) -> int:
    """For a program without fsspec: requests {op, name, file?, data?} as lines on standard input, an answer a line."""
    storage: Storage | None = None
    for line in sys.stdin:
        try:
            storage = storage or Storage(uri)
            answer = {"ok": _answer(storage, json.loads(line))}
        except MixtuneError as error:
            answer = {"error": error.fields()}
        print(dumps(answer), flush=True)
    return 0


def _answer(storage: Storage, request: dict[str, Any]) -> Any:
    op, name = request["op"], request["name"]
    if not REQUEST.fullmatch(name):
        raise MixtuneError(storage.place(name), "a plain name", "another", "This is a fault of mixtune: report it.")
    if op == "read":
        data = storage.read(name)
        return None if data is None else base64.b64encode(data).decode()
    if op == "write":
        return storage.write(name, base64.b64decode(request["data"]))
    if op == "put":
        return storage.put(Path(request["file"]), name)
    if op == "get":
        return storage.get(name, Path(request["file"]))
    if op == "names":
        return storage.names(name)
    if op == "remove":
        return storage.remove(name)
    raise MixtuneError(
        "storage request", "read, write, put, get, names or remove", str(op), "This is a fault of mixtune: report it."
    )
