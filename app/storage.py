"""Private files, kept under the hash of their content, outside every public folder.

A file is written to a temporary name, synced, then renamed: whoever is killed in between leaves
at most a temporary file behind, never half a file under a good name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from app.checkpoints import checkpoint

KEY = re.compile(r"[0-9a-f]{64}")
CHUNK = 1024 * 1024
READABLE = 0o640  # for the group as well, which the web server in front may be in
LEAVE_FREE = 64 * 1024 * 1024  # bytes of disk an upload must leave


class FileMissing(Exception):
    """A file that the database knows is not in the storage."""


class TooLarge(Exception):
    """More bytes than allowed."""


class DiskFull(Exception):
    """No room for this file."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str  # SHA-256 of the content, hex
    size: int  # bytes


class Storage(Protocol):
    def put(self, source: BinaryIO, *, limit: int) -> StoredFile:
        """Keep all of a stream; TooLarge beyond `limit` bytes, DiskFull when there is no room."""
        ...

    def path(self, key: str) -> Path:
        """Where the file lies; FileMissing when it does not."""
        ...

    def delete(self, key: str) -> None: ...


class LocalFiles:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"

    def put(self, source: BinaryIO, *, limit: int) -> StoredFile:
        """Keep all of a stream under the hash of its content; the same content is kept once."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(handle, "wb") as target:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge
                    if shutil.disk_usage(self._incoming).free < LEAVE_FREE:
                        raise DiskFull
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fchmod(target.fileno(), READABLE)
                os.fsync(target.fileno())
            checkpoint("upload-written")
            key = digest.hexdigest()
            final = self._place(key)
            final.parent.mkdir(parents=True, exist_ok=True)
            Path(name).replace(final)
            checkpoint("upload-renamed")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return StoredFile(key, size)

    def path(self, key: str) -> Path:
        """Where the file lies; never outside the root, whatever the key."""
        place = self._place(key)
        if place.is_symlink() or not place.is_file():
            raise FileMissing(key)
        return place

    def delete(self, key: str) -> None:
        """Remove a file if it is there."""
        self._place(key).unlink(missing_ok=True)

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise FileMissing(key)
        return self.root / key[:2] / key[2:4] / key
