"""Goods in a folder: files of one name, and the sheet beside them that says what they are."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.money import Currency, Money, MoneyError

SHEET = ".toml"
SHEET_LIMIT = 256 * 1024  # bytes
TEXT_LIMITS = {"name": 120, "summary": 300, "text": 100_000, "version": 40}
LEFT_BEHIND = {"thumbs.db", "desktop.ini"}  # by other programs


class SheetRefused(ValueError):
    """A sheet that cannot be followed; the text says what to change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What a seller wrote about a product; None where nothing was said."""

    name: str | None = None
    price: Money | None = None
    text: str | None = None
    summary: str | None = None
    tags: list[str] | None = None
    version: str | None = None
    pictures: list[str] = field(default_factory=list)
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Good:
    """Files of one name: one product, in one format or in several."""

    stem: str
    files: list[Path]
    sheet: Path | None

    @property
    def slug(self) -> str:
        return slugify(self.stem)

    @property
    def name(self) -> str:
        """A name for people, made from the file's: "summer-sale_2" reads "Summer sale 2"."""
        words = re.sub(r"[\s_-]+", " ", self.stem).strip()
        return (words[:1].upper() + words[1:])[: TEXT_LIMITS["name"]] or "Untitled"


def find(folder: Path) -> list[Good]:
    """The goods of a folder; a picture that a sheet names is none, unless it has a sheet too."""
    paths = [path for path in sorted(folder.iterdir()) if _is_offered(path)]
    sheets = {path.stem: path for path in paths if path.suffix.lower() == SHEET}
    shown = {name for sheet in sheets.values() for name in _pictures_named(sheet)}
    files: dict[str, list[Path]] = {stem: [] for stem in sheets}
    for path in paths:
        if path.suffix.lower() != SHEET and (path.name not in shown or path.stem in sheets):
            files.setdefault(path.stem, []).append(path)
    return [Good(stem, files[stem], sheets.get(stem)) for stem in sorted(files)]


def read_sheet(path: Path | None) -> Sheet:
    """What a sheet says; SheetRefused when it cannot be understood."""
    if path is None:
        return Sheet()
    given = _load(path)
    unknown = set(given) - set(Sheet.__dataclass_fields__)
    if unknown:
        raise SheetRefused(f"{path.name} has an unknown key: {', '.join(sorted(unknown))}")
    try:
        return Sheet(
            name=_text(given, "name"),
            price=_price(given),
            text=_text(given, "text"),
            summary=_text(given, "summary"),
            tags=_texts(given, "tags") if "tags" in given else None,
            version=_text(given, "version"),
            pictures=_texts(given, "pictures"),
            position=_position(given),
        )
    except ValueError as error:
        raise SheetRefused(f"{path.name}: {error}") from error


def slugify(text: str) -> str:
    """The text as part of an address: lower case, a–z, 0–9 and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:80].strip("-")
    return slug or sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _is_offered(path: Path) -> bool:
    return (
        not path.name.startswith(".") and path.name.lower() not in LEFT_BEHIND and not path.is_dir()
    )


def _pictures_named(sheet: Path) -> list[str]:
    try:
        return _texts(_load(sheet), "pictures")
    except ValueError:
        return []  # said again, in full, when the sheet is read for its product


def _load(path: Path) -> dict[str, Any]:
    if path.is_symlink() or path.stat().st_size > SHEET_LIMIT:
        raise SheetRefused(f"{path.name} is a link or longer than {SHEET_LIMIT // 1024} KiB")
    try:
        return tomllib.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SheetRefused(f"{path.name} cannot be read: {error}") from error


def _text(given: dict[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if key == "version" and isinstance(value, int | Decimal):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} must be text")
    if len(value) > TEXT_LIMITS[key]:
        raise ValueError(f"{key} is longer than {TEXT_LIMITS[key]} characters")
    if key != "text" and not value.isprintable():
        raise ValueError(f"{key} must be one line of plain text")
    return value.strip()


def _texts(given: dict[str, Any], key: str) -> list[str]:
    values = given.get(key, [])
    if not isinstance(values, list) or len(values) > 20:
        raise ValueError(f"{key} must be a list of at most 20 texts")
    if not all(isinstance(value, str) and value.strip() and len(value) <= 120 for value in values):
        raise ValueError(f"{key} must be a list of short texts")
    return [value.strip() for value in values]


def _price(given: dict[str, Any]) -> Money | None:
    value = given.get("price")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError('price must be an amount like "12.00"')
    try:
        price = Money.parse(str(value).removeprefix("$"), Currency.USD)
    except MoneyError as error:
        raise ValueError('price must be an amount in US dollars like "12.00"') from error
    if not 0 < price.minor <= 100_000_000:
        raise ValueError("price must be above zero and at most a million dollars")
    return price


def _position(given: dict[str, Any]) -> int | None:
    value = given.get("position")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000_000:
        raise ValueError("position must be a whole number")
    return value
