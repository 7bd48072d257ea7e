"""Pictures drawn from what is sold: a marked preview of an image, a cover for everything else."""

from __future__ import annotations

import hashlib
import textwrap

from PIL import Image, ImageDraw, ImageFont, ImageStat

from app.services import pictures

MARK = "preview"
PAPER, INK = (246, 244, 239), (27, 32, 44)
COVER = (1200, 1200)
COVER_INKS = ("#1f4e79", "#7a3b2e", "#2f5d50", "#5b3a6e", "#8a5a12", "#24495c", "#6b2d43")


def marked(image: Image.Image) -> Image.Image:
    """The image on a ground it stands out from, reduced, with a faint mark across it."""
    small = image.copy()
    small.thumbnail((pictures.LARGE, pictures.LARGE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    ground = Image.new("RGBA", small.size, (*_ground(small), 255))
    ground.alpha_composite(small.convert("RGBA"))
    ground.alpha_composite(_mark(small.size))
    return ground.convert("RGB")


def cover(name: str, kind: str) -> Image.Image:
    """A card with a product's name and what kind of file it is, coloured after its name."""
    seed = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    ink = COVER_INKS[seed[0] % len(COVER_INKS)]
    image = Image.new("RGB", COVER, ink)
    draw = ImageDraw.Draw(image, "RGBA")
    for index, radius in enumerate(range(980, 180, -160)):
        centre = (1130 - 4 * seed[1] % 200, 1160)
        draw.circle(centre, radius, fill=(255, 255, 255, 10 + 4 * index))
    draw.rectangle((96, 112, 216, 122), fill="white")
    draw.multiline_text((96, 176), _wrapped(name), font=_font(92), fill="white", spacing=24)
    draw.text((96, 1096), kind, font=_font(44), fill="white", anchor="ls")
    return image


def _wrapped(name: str) -> str:
    lines = textwrap.wrap(name, 20, max_lines=6, placeholder=" …")
    return "\n".join(lines)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # comes with Pillow: the same on every machine


def _ground(image: Image.Image) -> tuple[int, int, int]:
    """Paper behind dark drawings, ink behind light ones."""
    if image.mode != "RGBA":
        return PAPER
    seen = image.getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    light = ImageStat.Stat(image.convert("L"), seen)
    return INK if light.count[0] and light.mean[0] > 150 else PAPER


def _mark(size: tuple[int, int]) -> Image.Image:
    """The word over and over, slanted, light with a dark edge so that it shows on any ground."""
    side = round(1.5 * max(size))
    text_size = max(18, max(size) // 20)
    row = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(row)
    font = _font(text_size)
    step = 6 * text_size
    for number, top in enumerate(range(0, side, step)):
        for left in range(-(number % 2) * step, side, 2 * step):
            draw.text(
                (left, top),
                MARK,
                font=font,
                fill=(255, 255, 255, 92),
                stroke_width=max(1, text_size // 24),
                stroke_fill=(0, 0, 0, 40),
            )
    slanted = row.rotate(30, Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return slanted.crop((left, top, left + size[0], top + size[1]))
