"""Public pictures. Whatever comes in leaves as WebP, drawn anew from its pixels alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from app.wiring import wiring

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 80_000_000
LARGE, THUMBNAIL = 1200, 480  # pixels of the longer side
STORED_LIMIT = 8 * 1024 * 1024  # bytes of one stored picture
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, struct.error)

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class PictureRefused(ValueError):
    """Not a picture the store takes; the text says why."""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    key: str
    thumbnail_key: str
    width: int  # pixels, of the large one
    height: int


def measure(source: BinaryIO) -> tuple[str, int, int]:
    """Format, width and height, read from the header alone."""
    with _open(source) as image:
        return image.format or "", image.width, image.height


def read(source: BinaryIO) -> Image.Image:
    """The pixels, upright, as RGB or RGBA; nothing else of the file is kept."""
    with _open(source) as image:
        try:
            image.verify()
        except BROKEN as error:
            raise PictureRefused("the picture is damaged") from error
    source.seek(0)
    with _open(source) as image:
        try:
            image.load()
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        except BROKEN as error:
            raise PictureRefused("the picture is damaged") from error


def store(image: Image.Image) -> StoredPicture:
    """Keep a picture in the sizes the pages show."""
    large = _shrink(image, LARGE)
    return StoredPicture(
        key=_keep(large),
        thumbnail_key=_keep(_shrink(large, THUMBNAIL)),
        width=large.width,
        height=large.height,
    )


def _open(source: BinaryIO) -> Image.Image:
    try:
        image = Image.open(source, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(_too_many()) from error
    except BROKEN as error:
        raise PictureRefused("this is no PNG, JPEG or WebP picture") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise PictureRefused(_too_many())
    return image


def _too_many() -> str:
    return f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels"


def _shrink(image: Image.Image, side: int) -> Image.Image:
    """A copy without metadata that fits a square; never enlarged."""
    small = Image.new(image.mode, image.size)
    small.paste(image)
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def _keep(image: Image.Image) -> str:
    encoded = BytesIO()
    image.save(encoded, "WEBP", quality=84, method=4)
    encoded.seek(0)
    return wiring().pictures.put(encoded, limit=STORED_LIMIT).key
