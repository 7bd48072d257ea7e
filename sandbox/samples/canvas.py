"""A sheet to draw on in one measure, whatever its size in pixels: smooth shapes, set type."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import font_manrope
import font_source_serif_pro
from PIL import Image, ImageChops, ImageDraw, ImageFont

WIDTH, HEIGHT = 3000, 3600
SMOOTH = 2  # drawn this much larger, then reduced
SANS = font_manrope.font_files
SERIF = font_source_serif_pro.font_files_ttf
FACES = {
    "black": SANS["ManropeExtraBold"],
    "bold": SANS["ManropeBold"],
    "medium": SANS["ManropeMedium"],
    "light": SANS["ManropeLight"],
    "serif": SERIF["SourceSerifProSemibold"],
    "serif-black": SERIF["SourceSerifProBlack"],
    "serif-italic": SERIF["SourceSerifProIt"],
    "serif-black-italic": SERIF["SourceSerifProBlackIt"],
}
Point = tuple[float, float]


@cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FACES[face], size)


class Pen:
    """Draws one colour, in the sheet's measure; with `ink=False` it takes away again."""

    def __init__(self, mask: Image.Image, unit: float) -> None:
        self.mask = mask
        self.unit = unit
        self._draw = ImageDraw.Draw(mask)

    def circle(self, x: float, y: float, radius: float, *, ink: bool = True) -> None:
        self._draw.circle((x * self.unit, y * self.unit), radius * self.unit, fill=255 * ink)

    def ring(self, x: float, y: float, radius: float, width: float) -> None:
        """A circle line, `radius` being that of its outer edge."""
        self._draw.circle(
            (x * self.unit, y * self.unit),
            radius * self.unit,
            outline=255,
            width=max(1, round(width * self.unit)),
        )

    def pie(self, x: float, y: float, radius: float, start: float, end: float) -> None:
        self._draw.pieslice(
            self._box(x - radius, y - radius, x + radius, y + radius), start, end, 255
        )

    def arc(
        self, x: float, y: float, radius: float, start: float, end: float, *, width: float
    ) -> None:
        box = self._box(x - radius, y - radius, x + radius, y + radius)
        self._draw.arc(box, start, end, 255, max(1, round(width * self.unit)))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, *, width: float | None = None
    ) -> None:
        """An ellipse, filled or, given a width, as a line."""
        box = self._box(x - rx, y - ry, x + rx, y + ry)
        if width is None:
            self._draw.ellipse(box, fill=255)
        else:
            self._draw.ellipse(box, outline=255, width=max(1, round(width * self.unit)))

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        *,
        round_by: float = 0,
        ink: bool = True,
    ) -> None:
        self._draw.rounded_rectangle(
            self._box(left, top, right, bottom), round_by * self.unit, fill=255 * ink
        )

    def polygon(self, points: Sequence[Point], *, ink: bool = True) -> None:
        self._draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=255 * ink)

    def line(self, points: Sequence[Point], width: float, *, ink: bool = True) -> None:
        """A line with round ends and joints."""
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        thick = max(1, round(width * self.unit))
        self._draw.line(scaled, 255 * ink, thick, joint="curve")
        for point in (scaled[0], scaled[-1]):
            self._draw.circle(point, thick / 2, fill=255 * ink)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        face: str = "black",
        *,
        track: float = 0,
        anchor: str = "m",
        ink: bool = True,
    ) -> None:
        """A line of type on baseline `y`; `track` widens it by parts of its size."""
        type_ = font(face, max(1, round(size * self.unit)))
        gap = track * size * self.unit
        wide = type_.getlength(text) + gap * (len(text) - 1)
        left = x * self.unit - {"l": 0.0, "m": wide / 2, "r": wide}[anchor]
        for before, letter in pairwise("\0" + text):
            if before != "\0":
                left += type_.getlength(before + letter) - type_.getlength(letter) + gap
            self._draw.text((left, y * self.unit), letter, 255 * ink, type_, "ls")

    def fitted(
        self, x: float, y: float, text: str, width: float, face: str = "black", *, ink: bool = True
    ) -> float:
        """A line of type exactly `width` wide, centred at `x`; how large the type came out."""
        probe = font(face, 1000).getbbox(text)
        size = 1000 * width / (probe[2] - probe[0])
        self.text(x, y, text, size, face, ink=ink)
        return size

    def round_text(
        self,
        x: float,
        y: float,
        radius: float,
        text: str,
        *,
        size: float,
        face: str,
        below: bool = False,
    ) -> None:
        """Type along a circle: over its top, or under its bottom, readable from outside."""
        type_ = font(face, max(1, round(size * self.unit)))
        steps = [(type_.getlength(letter) / self.unit + 0.06 * size) / radius for letter in text]
        turn = -sum(steps) / 2
        for letter, step in zip(text, steps, strict=True):
            middle = turn + step / 2
            angle = math.pi / 2 - middle if below else -math.pi / 2 + middle
            self._turned(
                (x + radius * math.cos(angle), y + radius * math.sin(angle)),
                letter,
                type_,
                math.degrees(middle if below else -middle),
            )
            turn += step

    def _turned(
        self, at: Point, letter: str, type_: ImageFont.FreeTypeFont, degrees: float
    ) -> None:
        side = int(type_.size * 2)
        tile = Image.new("L", (side, side))
        rise = type_.size * 0.36  # the middle of a capital lies on the circle
        ImageDraw.Draw(tile).text((side / 2, side / 2 + rise), letter, 255, type_, "ms")
        tile = tile.rotate(degrees, Image.Resampling.BICUBIC)
        corner = (round(at[0] * self.unit - side / 2), round(at[1] * self.unit - side / 2))
        self.mask.paste(255, (*corner, corner[0] + side, corner[1] + side), tile)

    def _box(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[float, float, float, float]:
        return left * self.unit, top * self.unit, right * self.unit, bottom * self.unit


class Canvas:
    """A transparent sheet, 3000 by 3600 in its own measure, `scale` pixels to each unit."""

    def __init__(self, scale: float = 1.0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.scale = scale
        self.image = Image.new("RGBA", (round(size[0] * scale), round(size[1] * scale)))

    @contextmanager
    def ink(self, colour: str) -> Iterator[Pen]:
        """A pen of one colour; what it drew is laid over the rest when it is put down."""
        mask = self._blank()
        yield Pen(mask, self.scale * SMOOTH)
        self._lay(mask, Image.new("RGB", (1, 1), colour))

    @contextmanager
    def blend(self, top: str, bottom: str) -> Iterator[Pen]:
        """A pen whose colour changes down the sheet."""
        mask = self._blank()
        yield Pen(mask, self.scale * SMOOTH)
        ramp = Image.new("RGB", (1, 2))
        ramp.putpixel((0, 0), _rgb(top))
        ramp.putpixel((0, 1), _rgb(bottom))
        box = mask.getbbox() or (0, 0, 1, 1)
        high = max(1, (box[3] - box[1]) // SMOOTH)
        colours = Image.new("RGB", (1, self.image.height), bottom)
        colours.paste(
            ramp.resize((1, high), Image.Resampling.BILINEAR, (0, 0.5, 1, 1.5)),
            (0, box[1] // SMOOTH),
        )
        self._lay(mask, colours)

    @contextmanager
    def hole(self) -> Iterator[Pen]:
        """A pen that cuts through everything drawn so far."""
        mask = self._blank()
        yield Pen(mask, self.scale * SMOOTH)
        alpha = ImageChops.subtract(self.image.getchannel("A"), mask.reduce(SMOOTH))
        self.image.putalpha(alpha)

    def _blank(self) -> Image.Image:
        return Image.new("L", (self.image.width * SMOOTH, self.image.height * SMOOTH))

    def _lay(self, mask: Image.Image, colours: Image.Image) -> None:
        box = mask.getbbox()
        if box is None:
            return
        left, top = box[0] // SMOOTH, box[1] // SMOOTH
        right, bottom = -(-box[2] // SMOOTH), -(-box[3] // SMOOTH)
        small = mask.reduce(SMOOTH, (left * SMOOTH, top * SMOOTH, right * SMOOTH, bottom * SMOOTH))
        if colours.height > 1:
            colours = colours.crop((0, top, 1, bottom))
        layer = colours.resize(small.size, Image.Resampling.NEAREST).convert("RGBA")
        layer.putalpha(small)
        self.image.alpha_composite(layer, (left, top))


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
