"""The goods of the sample shop, drawn small."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from app.services import files, goods
from sandbox import samples

SCALE = 0.04


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("samples")
    samples.write(made, scale=SCALE)
    return made


def test_there_are_designs_archives_and_a_book(folder: Path) -> None:
    found = [path.suffix for good in goods.find(folder) for path in good.files]

    assert len(found) >= 12
    assert found.count(".png") >= 8
    assert found.count(".zip") >= 3
    assert found.count(".pdf") == 1


def test_every_file_is_what_it_says(folder: Path) -> None:
    for good in goods.find(folder):
        for path in good.files:
            files.examine(path)


def test_every_sheet_can_be_followed(folder: Path) -> None:
    for good in goods.find(folder):
        sheet = goods.read_sheet(good.sheet)
        assert sheet.name, good.stem
        assert sheet.price, good.stem
        assert sheet.summary, good.stem
        assert sheet.text, good.stem
        assert sheet.tags, good.stem
        assert all((folder / name).is_file() for name in sheet.pictures)


def test_the_prices_try_every_number_of_confirmations(folder: Path) -> None:
    prices = sorted(
        sheet.price.major
        for good in goods.find(folder)
        if (sheet := goods.read_sheet(good.sheet)).price is not None
    )

    assert prices[0] == Decimal(3)
    assert any(Decimal(20) < price <= Decimal(49) for price in prices)
    assert any(price > 200 for price in prices)


def test_designs_are_transparent_where_nothing_is_printed(folder: Path) -> None:
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            assert image.size == (round(3000 * SCALE), round(3600 * SCALE))
            assert image.getchannel("A").getextrema() == (0, 255), path.name


def test_archives_hold_prints_and_a_licence(folder: Path) -> None:
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            assert archive.testzip() is None
        assert any(name.endswith(".png") for name in names), path.name
        assert {"LICENCE.txt", "DEED.txt"} & set(names), path.name


def test_the_book_can_be_read(folder: Path) -> None:
    (path,) = folder.glob("*.pdf")

    book = PdfReader(path)

    assert len(book.pages) >= 20
    assert "Keys are the money" in book.pages[2].extract_text(), "in the contents"
    assert all(len(page.extract_text()) > 200 for page in book.pages[2:])


def test_drawn_again_they_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    samples.write(tmp_path, scale=SCALE)

    def sums(place: Path) -> dict[str, str]:
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in place.iterdir()}

    assert sums(folder) == sums(tmp_path)
