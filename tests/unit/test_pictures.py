"""What becomes of pictures that people hand in."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from flask import Flask
from PIL import Image, PngImagePlugin

from app.services import pictures, previews
from app.wiring import wiring


def encoded(image: Image.Image, format_: str = "PNG", **options: object) -> BytesIO:
    file = BytesIO()
    image.save(file, format_, **options)
    file.seek(0)
    return file


def drawing(size: tuple[int, int] = (64, 48), colour: str = "#336699") -> Image.Image:
    return Image.new("RGB", size, colour)


def stored(key: str) -> Image.Image:
    with Image.open(wiring().pictures.path(key)) as image:
        image.load()
        return image


def huge_png(width: int, height: int) -> BytesIO:
    """A few bytes that promise a very large picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_a_picture_is_kept_as_webp_in_two_sizes(app: Flask) -> None:
    kept = pictures.store(pictures.read(encoded(drawing((3000, 1500)))))

    large, small = stored(kept.key), stored(kept.thumbnail_key)
    assert (large.format, large.size) == ("WEBP", (1200, 600))
    assert (small.format, small.size) == ("WEBP", (480, 240))
    assert (kept.width, kept.height) == (1200, 600)


def test_a_small_picture_is_not_enlarged(app: Flask) -> None:
    kept = pictures.store(pictures.read(encoded(drawing((64, 48)))))

    assert stored(kept.key).size == (64, 48)


def test_the_same_picture_is_kept_once(app: Flask) -> None:
    first, second = (pictures.store(pictures.read(encoded(drawing()))) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_nothing_but_pixels_is_kept(app: Flask, format_: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "taken at home")
    options = {"pnginfo": text} if format_ == "PNG" else {}
    picture = encoded(drawing(), format_, exif=exif, **options)
    assert b"taken at home" in picture.getvalue()

    kept = pictures.store(pictures.read(picture))

    assert not stored(kept.key).getexif()
    assert b"taken at home" not in wiring().pictures.path(kept.key).read_bytes()


def test_a_picture_that_was_held_upright_stands_upright(app: Flask) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    kept = pictures.store(pictures.read(encoded(drawing((60, 40)), "JPEG", exif=exif)))

    assert (kept.width, kept.height) == (40, 60)


def test_transparency_is_kept(app: Flask) -> None:
    kept = pictures.store(pictures.read(encoded(Image.new("RGBA", (50, 50)))))

    assert stored(kept.key).mode == "RGBA"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just words",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*" + encoded(drawing(), "GIF").getvalue()[8:] + b"*/=1;alert(1)",
        encoded(drawing(), "BMP").getvalue(),
        encoded(drawing(), "TIFF").getvalue(),
    ],
)
def test_what_is_no_png_jpeg_or_webp_is_refused(content: bytes) -> None:
    with pytest.raises(pictures.PictureRefused, match="no PNG, JPEG or WebP"):
        pictures.read(BytesIO(content))


def test_a_picture_cut_short_is_refused() -> None:
    whole = encoded(Image.effect_noise((200, 200), 80)).getvalue()

    with pytest.raises(pictures.PictureRefused, match="damaged"):
        pictures.read(BytesIO(whole[: len(whole) // 2]))


@pytest.mark.parametrize("size", [(50_000, 50_000), (9_000, 9_000)])
def test_a_picture_of_too_many_pixels_is_refused_unread(size: tuple[int, int]) -> None:
    with pytest.raises(pictures.PictureRefused, match="million pixels"):
        pictures.read(huge_png(*size))


def test_a_preview_is_reduced_and_marked() -> None:
    sold = drawing((2400, 3000), "#808080")

    preview = previews.marked(sold)

    assert preview.size == (960, 1200)
    assert len(preview.getcolors(1 << 24) or ()) > 1, "nothing was drawn over the plain grey"


@pytest.mark.parametrize(
    ("ink", "ground"), [("#ffffff", previews.INK), ("#000000", previews.PAPER)]
)
def test_a_preview_of_a_transparent_design_stands_out(ink: str, ground: tuple[int, ...]) -> None:
    design = Image.new("RGBA", (400, 400))
    design.paste(ink, (100, 100, 300, 300))

    corner = previews.marked(design).getpixel((1, 1))

    assert isinstance(corner, tuple)
    assert all(abs(seen - wanted) < 90 for seen, wanted in zip(corner, ground, strict=True))


def test_a_cover_takes_any_name() -> None:
    for name in ("A book", "x" * 300, "Ünïcødé 漢字 🙂", "many words " * 40):
        assert previews.cover(name, "PDF").size == previews.COVER
