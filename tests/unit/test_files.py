"""What a file is, by its content, and what it may be called."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter

from app.services import files


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_picture_tells_its_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200)).save(tmp_path / "a.png")
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg")

    assert files.examine(tmp_path / "a.png") == {"width": 300, "height": 200}
    assert files.examine(tmp_path / "a.jpg") == {"width": 30, "height": 20}


def test_a_book_tells_its_pages(tmp_path: Path) -> None:
    book = PdfWriter()
    for _ in range(3):
        book.add_blank_page(100, 100)
    book.write(tmp_path / "book.pdf")

    assert files.examine(tmp_path / "book.pdf") == {"pages": 3}


def test_an_archive_tells_its_files_but_not_its_folders(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"prints/": b"", "prints/a.png": b"1", "LICENCE.txt": b"2"})

    assert files.examine(path) == {"entries": 2}


def test_an_epub_is_told_by_its_first_entry(tmp_path: Path) -> None:
    good = zipped(tmp_path / "good.epub", {"mimetype": b"application/epub+zip", "a.html": b""})
    bad = zipped(tmp_path / "bad.epub", {"a.html": b""})

    assert files.examine(good) == {}
    with pytest.raises(files.FileRefused, match="no EPUB"):
        files.examine(bad)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.png", b"just words", "no PNG"),
        ("a.pdf", b"just words", "no PDF"),
        ("a.pdf", b"%PDF-1.7\njust words", "damaged"),
        ("a.zip", b"just words", "no ZIP"),
        ("a.zip", b"PK\x05\x06" + b"\xff" * 18, "too long"),
        ("a.psd", b"just words", "not what the name says"),
        ("a.svg", b"just words", "no SVG"),
        ("a.png", b"", "empty"),
        ("a.exe", b"MZ", "these kinds: epub, jpeg, jpg"),
        ("a", b"MZ", "these kinds"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(files.FileRefused, match=why):
        files.examine(tmp_path / name)


def test_a_jpeg_called_png_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png", "JPEG")

    with pytest.raises(files.FileRefused, match="the name says PNG, the content is JPEG"):
        files.examine(tmp_path / "a.png")


def test_a_bomb_is_refused_at_once_and_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros", "w") as entry,
    ):
        for _ in range(1100):
            entry.write(bytes(1024 * 1024))
    began = time.perf_counter()

    with pytest.raises(files.FileRefused, match="more than 100 times its size"):
        files.examine(path)

    assert time.perf_counter() - began < 2


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "many.zip", {f"{number}": b"" for number in range(10_001)})

    with pytest.raises(files.FileRefused, match="10000 entries"):
        files.examine(path)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("design.png", "design.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.zip", "evil.zip"),
        ("CON", "file-CON"),
        ("nul.txt", "file-nul.txt"),
        ("a\x00b\r\nc.png", "a b c.png"),
        ("gnp.\u202etxt.exe", "gnp. txt.exe"),
        ('say "hi" <b>.pdf', "say -hi- -b-.pdf"),
        ("  .hidden. .zip", "hidden.zip"),
        ("…", "…"),
        ("", "file"),
        ("...", "file"),
        ("Cafe\u0301.pdf", "Café.pdf"),
        ("sun 🌞.png", "sun 🌞.png"),
    ],
)
def test_a_name_is_safe_to_show_and_to_save_under(given: str, shown: str) -> None:
    assert files.display_name(given) == shown


@pytest.mark.parametrize("letter", ["x", "é", "漢", "🌞"])
def test_a_long_name_is_cut_but_keeps_its_ending(letter: str) -> None:
    name = files.display_name(letter * 300 + ".png")

    assert len(name.encode()) <= files.MAX_NAME
    assert name.endswith(letter + ".png")
