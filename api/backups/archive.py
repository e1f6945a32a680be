"""The file of a backup: a plain ZIP of a dump, the photographs as they are, and a manifest of both.

It is written under another name and gets its own only when it is whole and on disk. Nothing in it is
compressed again. The manifest comes last and holds the hash of the dump; a photograph's name is its hash, and
the manifest holds the hash of all names. So whatever was cut, changed, added or taken out is noticed before
anything is restored.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from gis.dumps import CHUNK
from gis.errors import Conflict, Invalid, Unavailable

FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"
_PHOTO = re.compile(r"photos/([0-9a-f]{64})\.jpg")
_FAULTS_OF_A_FILE = (
    zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, KeyError, TypeError,
)  # fmt: skip
"""What Python's reader raises for a damaged ZIP: RuntimeError for a flipped "encrypted" bit or an
unknown method, and so on."""

Fed = Callable[[int], None]
"""Hears how many bytes more are done."""


class DamagedBackup(Invalid):
    """The file is no backup of ours, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. Times are ISO 8601 with an offset, hashes hexadecimal."""

    format: int
    product: str
    revision: str
    made_at: str
    postgres: int
    """Major version of the server."""
    rows: dict[str, int]
    """Rows of each table in the dump."""
    seal: str
    """The hash of the trail's last seal; empty when nothing is sealed."""
    dump_sha256: str
    dump_bytes: int
    photos: int
    photo_bytes: int
    photos_sha256: str
    """Of the names of all photographs, in their order."""
    photos_missing: int
    """Photographs the database names and the disk did not have."""


class Writing:
    """A backup being written: the dump first, then photographs, then the manifest."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._zip = packed
        self._names = hashlib.sha256()
        self.photos = self.photo_bytes = 0

    @contextlib.contextmanager
    def dump(self) -> Iterator[Hashed]:
        with self._zip.open(DUMP, "w", force_zip64=True) as part:
            yield Hashed(part)

    def photo(self, sha256: str, jpeg: bytes) -> None:
        self._zip.writestr(f"photos/{sha256}.jpg", jpeg)
        self._names.update(sha256.encode())
        self.photos += 1
        self.photo_bytes += len(jpeg)

    def finish(self, **told: Any) -> Manifest:
        manifest = Manifest(
            format=FORMAT, photos=self.photos, photo_bytes=self.photo_bytes,
            photos_sha256=self._names.hexdigest(), **told,
        )  # fmt: skip
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        return manifest


class Hashed:
    """A part being written, with the hash and the number of its bytes so far."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part, self._hash, self.bytes = part, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self._part.write(data)
        self._hash.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Writing]:
    """A new backup at `path`, readable by its owner alone. It is there when the block has ended well, and
    nothing is there otherwise. Raises Conflict when there is a file already, or when one is being written,
    Unavailable when the disk takes none."""
    if path.exists():
        raise Conflict(
            en=f"{path} is there already; a backup never replaces another.",
            zh=f"{path} 已经存在；备份不会覆盖另一份备份。",
            remedy_en="Choose another name, with the date in it for example.",
            remedy_zh="请换一个文件名，例如带上日期。",
        )
    try:
        with _draft(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
            yield Writing(packed)
    except OSError as error:
        raise Unavailable(
            en=f"{path} cannot be written: {error.strerror}.",
            zh=f"无法写入 {path}：{error.strerror}。",
            remedy_en="Choose a folder that is there, may be written to, and has room.",
            remedy_zh="请选择存在、可写且空间足够的目录。",
        ) from error


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    draft = path.with_name(path.name + ".part")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(handle, "r+b") as file:
        _take(file, draft)
        try:
            os.fchmod(handle, 0o600)
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(handle)
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _take(file: IO[bytes], draft: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(
            en=f"Another backup is being written to {draft}.", zh=f"另一份备份正在写入 {draft}。"
        ) from None


class Backup:
    """A backup opened for reading, with its manifest. Every fault of the file is DamagedBackup."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file
        self._sha256_of = {match[1]: name for name in file.namelist() if (match := _PHOTO.fullmatch(name))}
        told = json.loads(file.read(MANIFEST))
        if told.get("format") != FORMAT:
            raise Invalid(
                en=f"This file is a backup of another kind (format {told.get('format')}, here {FORMAT}).",
                zh=f"备份格式不同（文件为 {told.get('format')}，本机为 {FORMAT}）。",
                remedy_en="Restore it with the version of CityGrid that made it, or a newer one.",
                remedy_zh="请用制作它的 CityGrid 版本或更新的版本恢复。",
            )
        self.manifest = Manifest(**told)

    def check(self, fed: Fed) -> None:
        """Read all of it once, and compare every part with what the manifest says."""
        with _told_plainly():
            known = {DUMP, MANIFEST, *self._sha256_of.values()}
            names = self._zip.namelist()
            whole = len(names) == len(known) and known.issuperset(names)
            listed = hashlib.sha256("".join(self._sha256_of).encode()).hexdigest()
            if not whole or listed != self.manifest.photos_sha256:
                raise ValueError("parts were added or taken out")
            if self._hash(DUMP, fed) != self.manifest.dump_sha256:
                raise ValueError("the dump was changed")
            for sha256, name in self._sha256_of.items():
                if self._hash(name, fed) != sha256:
                    raise ValueError(f"the photograph {sha256} was changed")

    def chunks(self) -> Iterator[bytes]:
        """The dump from its start."""
        yield from self._read(DUMP)

    def photos(self) -> Iterator[tuple[str, bytes]]:
        """(hash, JPEG) of each photograph."""
        for sha256, name in self._sha256_of.items():
            yield sha256, b"".join(self._read(name))

    @property
    def size(self) -> int:
        """Bytes of its parts."""
        return self.manifest.dump_bytes + self.manifest.photo_bytes

    def _hash(self, name: str, fed: Fed) -> str:
        found = hashlib.sha256()
        for chunk in self._read(name):
            found.update(chunk)
            fed(len(chunk))
        return found.hexdigest()

    def _read(self, name: str) -> Iterator[bytes]:
        with _told_plainly(), self._zip.open(name) as part:
            while chunk := part.read(CHUNK):
                yield chunk


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """A backup for reading; nothing but its manifest has been looked at yet. Raises DamagedBackup."""
    with contextlib.ExitStack() as stack:
        with _told_plainly():
            backup = Backup(stack.enter_context(zipfile.ZipFile(path)))
        yield backup


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except _FAULTS_OF_A_FILE as error:
        raise DamagedBackup(
            en=f"The file is not a whole backup: {error}.",
            zh=f"该文件不是完整的备份：{error}。",
            remedy_en="Nothing was changed. Take another copy of it, or the backup before it.",
            remedy_zh="没有改动任何数据。请换一份副本，或使用更早的备份。",
        ) from error
