"""What a file is, by its content; archives are looked into, never unpacked."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from app.services import pictures

MAX_BYTES = 2 * 1024**3
MAX_NAME = 120  # characters, and bytes enough for any file system
MAX_ENTRIES = 10_000
MAX_DIRECTORY = 2 * 1024**2  # bytes of an archive's table of contents
MAX_UNPACKED, MAX_RATIO = 1024**3, 100
DIRECTORY_END = b"PK\x05\x06"
DIRECTORY_END_SIZE, LONGEST_COMMENT = 22, 65_535
LARGE_DIRECTORY = b"PK\x06\x07"
EPUB = b"application/epub+zip"
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}

Facts = dict[str, int]


class FileRefused(ValueError):
    """Not a file the store sells; the text says why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file on sale: how it is told apart and what pages may say of it."""

    label: str
    media_type: str
    examine: Callable[[BinaryIO], Facts]


def kind_of(path: Path) -> Kind:
    """The kind a file's name claims; FileRefused when the store does not sell such files."""
    try:
        return KINDS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(sorted(suffix.removeprefix(".") for suffix in KINDS))
        raise FileRefused(f"the store sells files of these kinds: {known}") from None


def examine(path: Path) -> Facts:
    """Pixels, pages or entries of a file; FileRefused when it is not what its name claims."""
    kind = kind_of(path)
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("the file is empty")
    if size > MAX_BYTES:
        raise FileRefused(f"the file has more than {MAX_BYTES // 1024**3} GiB")
    with path.open("rb") as source:
        return kind.examine(source)


def display_name(name: str) -> str:
    """A file name that is safe to show and to save under, whatever was given."""
    name = PureWindowsPath(PurePosixPath(name).name).name
    name = "".join(
        character if unicodedata.category(character)[0] != "C" else " "
        for character in unicodedata.normalize("NFC", name)
    )
    name = " ".join("".join("-" if mark in '<>:"|?*' else mark for mark in name).split())
    stem, suffix = PurePosixPath(name).stem.strip(". "), PurePosixPath(name).suffix[:16]
    if not stem or stem.split(".")[0].lower() in DEVICES:
        stem = f"file-{stem}".rstrip("-")
    room = MAX_NAME - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip() + suffix


def _picture(wanted: str) -> Callable[[BinaryIO], Facts]:
    def facts(source: BinaryIO) -> Facts:
        try:
            found, width, height = pictures.measure(source)
        except pictures.PictureRefused as error:
            raise FileRefused(str(error)) from error
        if found != wanted:
            raise FileRefused(f"the name says {wanted}, the content is {found}")
        return {"width": width, "height": height}

    return facts


def _pdf(source: BinaryIO) -> Facts:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if b"%PDF-" not in source.read(1024):
        raise FileRefused("the content is no PDF")
    try:
        return {"pages": PdfReader(source).get_num_pages()}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileRefused("the PDF is damaged or locked: its pages cannot be counted") from error


def _zip(source: BinaryIO) -> Facts:
    with _archive(source) as archive:
        return {"entries": sum(not entry.is_dir() for entry in archive.infolist())}


def _epub(source: BinaryIO) -> Facts:
    with _archive(source) as archive:
        names = archive.namelist()
        entry = archive.getinfo("mimetype") if "mimetype" in names else None
        if entry is None or entry.file_size > 64 or archive.read(entry).strip() != EPUB:
            raise FileRefused("the content is no EPUB")
    return {}


def _archive(source: BinaryIO) -> zipfile.ZipFile:
    """An archive whose table of contents is small enough to read and promises no bomb."""
    _check_directory(source)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileRefused("the ZIP is damaged") from error
    entries = archive.infolist()
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES:
        raise FileRefused(f"the ZIP has more than {MAX_ENTRIES} entries")
    if unpacked > MAX_UNPACKED and unpacked > MAX_RATIO * packed:
        raise FileRefused(f"the ZIP would unpack to more than {MAX_RATIO} times its size")
    return archive


def _check_directory(source: BinaryIO) -> None:
    size = source.seek(0, 2)
    source.seek(max(0, size - DIRECTORY_END_SIZE - LONGEST_COMMENT))
    tail = source.read()
    end = tail.rfind(DIRECTORY_END)
    record = tail[end : end + DIRECTORY_END_SIZE]
    if end < 0 or len(record) < DIRECTORY_END_SIZE:
        raise FileRefused("the content is no ZIP")
    has_large = tail[max(0, end - 20) : end].startswith(LARGE_DIRECTORY)
    if has_large or int.from_bytes(record[12:16], "little") > MAX_DIRECTORY:
        raise FileRefused("the ZIP's table of contents is too long")
    source.seek(0)


def _starts(*beginnings: bytes) -> Callable[[BinaryIO], Facts]:
    def facts(source: BinaryIO) -> Facts:
        if not source.read(16).startswith(beginnings):
            raise FileRefused("the content is not what the name says")
        return {}

    return facts


def _svg(source: BinaryIO) -> Facts:
    if b"<svg" not in source.read(4096):
        raise FileRefused("the content is no SVG")
    return {}


KINDS = {
    ".png": Kind("PNG", "image/png", _picture("PNG")),
    ".jpg": Kind("JPEG", "image/jpeg", _picture("JPEG")),
    ".jpeg": Kind("JPEG", "image/jpeg", _picture("JPEG")),
    ".webp": Kind("WebP", "image/webp", _picture("WEBP")),
    ".pdf": Kind("PDF", "application/pdf", _pdf),
    ".epub": Kind("EPUB", "application/epub+zip", _epub),
    ".zip": Kind("ZIP", "application/zip", _zip),
    ".svg": Kind("SVG", "image/svg+xml", _svg),
    ".psd": Kind("PSD", "image/vnd.adobe.photoshop", _starts(b"8BPS")),
    ".otf": Kind("OpenType", "font/otf", _starts(b"OTTO", b"\x00\x01\x00\x00")),
    ".ttf": Kind("TrueType", "font/ttf", _starts(b"\x00\x01\x00\x00", b"true")),
    ".mp3": Kind("MP3", "audio/mpeg", _starts(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
}
