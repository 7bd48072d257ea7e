"""A design as a shopper pictures it: on a card of its own, and on a shirt."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.samples.canvas import Point

CARD = (1200, 1440)
SIDE = 1200
SMOOTH = 2


def card(design: Image.Image, ground: str) -> Image.Image:
    """The design on a plain ground, at the size of a picture in the shop."""
    picture = Image.new("RGBA", CARD, ground)
    picture.alpha_composite(design.resize(CARD, Image.Resampling.LANCZOS, reducing_gap=3.0))
    return picture.convert("RGB")


def shirt(design: Image.Image, colour: str, ground: str) -> Image.Image:
    """The design on a T-shirt that lies on a plain ground."""
    cut = _mask([_BODY])
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    shadow = ImageChops.offset(cut, 0, 22).filter(ImageFilter.GaussianBlur(26))
    picture.paste("#000000", mask=shadow.point(lambda value: value * 0.28))
    picture.paste(colour, mask=cut)
    print_ = design.resize((470, 564), Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture.paste(print_.convert("RGB"), (SIDE // 2 - 235, 335), print_)
    is_dark = sum(Image.new("RGB", (1, 1), colour).getpixel((0, 0))) < 240  # type: ignore[arg-type]
    for lines, tone, strength in (
        (_FOLDS, "#ffffff" if is_dark else "#000000", 0.10 if is_dark else 0.13),
        (_GLEAMS, "#ffffff", 0.10 if is_dark else 0.35),
    ):
        soft = _mask(lines).filter(ImageFilter.GaussianBlur(15))
        soft = ImageChops.multiply(soft, cut)
        picture.paste(tone, mask=soft.point(lambda value, part=strength: value * part))
    seam = "#ffffff" if is_dark else "#000000"
    picture.paste(seam, mask=_strokes().point(lambda value: value * 0.22))
    return picture


def rail(designs: list[tuple[Image.Image, str]], ground: str) -> Image.Image:
    """Several designs as a fan of cards, the first of them in front."""
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    for place in reversed(range(len(designs))):
        face = card(*designs[place]).resize((570, 684), Image.Resampling.LANCZOS)
        tilt = -7.0 * (place - (len(designs) - 1) / 2)
        sheet = Image.new("RGBA", (SIDE, SIDE))
        sheet.paste(face, ((SIDE - 570) // 2, (SIDE - 684) // 2))
        sheet = sheet.rotate(tilt, Image.Resampling.BICUBIC)
        aside = round(95 * (place - (len(designs) - 1) / 2))
        shadow = sheet.getchannel("A").filter(ImageFilter.GaussianBlur(16))
        picture.paste("#000000", (aside, 14), shadow.point(lambda value: value * 0.4))
        picture.paste(sheet.convert("RGB"), (aside, 0), sheet)
    return picture


def _curve(start: Point, pull: Point, end: Point, steps: int = 24) -> list[Point]:
    """Points of a curve that leaves `start`, is drawn towards `pull` and arrives at `end`."""
    turns = [step / steps for step in range(steps + 1)]
    return [
        tuple(  # type: ignore[misc]
            a * (1 - t) ** 2 + 2 * b * t * (1 - t) + c * t**2
            for a, b, c in zip(start, pull, end, strict=True)
        )
        for t in turns
    ]


def _both(half: list[Point]) -> list[Point]:
    """The outline whose right half is given, top to bottom."""
    return half + [(SIDE - x, y) for x, y in reversed(half)]


_COLLAR = _curve((600, 236), (680, 232), (712, 142))
_BODY = _both(
    [
        *_COLLAR,
        *_curve((712, 142), (850, 176), (930, 214)),
        *_curve((930, 214), (990, 250), (1090, 470)),
        *_curve((1090, 470), (1010, 534), (928, 552)),
        *_curve((928, 552), (908, 500), (884, 452)),
        *_curve((884, 452), (872, 800), (892, 1088)),
        *_curve((892, 1088), (760, 1116), (600, 1114)),
    ]
)
_FOLDS: list[list[Point]] = [
    [(884, 452), (850, 640), (872, 800)],
    [(316, 452), (352, 620), (328, 780)],
    [(892, 1088), (800, 900), (840, 1100)],
    [(308, 1088), (420, 930), (372, 1104)],
    [(950, 300), (900, 430), (884, 452)],
    [(250, 300), (300, 430), (316, 452)],
    [(560, 1114), (590, 1000), (640, 1114)],
]
_GLEAMS: list[list[Point]] = [
    [(800, 210), (846, 420), (822, 430)],
    [(400, 210), (354, 420), (378, 430)],
    [(740, 1100), (780, 960), (770, 1104)],
    [(470, 1100), (440, 980), (452, 1104)],
]


def _mask(shapes: list[list[Point]]) -> Image.Image:
    mask = Image.new("L", (SIDE * SMOOTH, SIDE * SMOOTH))
    draw = ImageDraw.Draw(mask)
    for points in shapes:
        draw.polygon([(x * SMOOTH, y * SMOOTH) for x, y in points], 255)
    return mask.reduce(SMOOTH)


def _strokes() -> Image.Image:
    """Collar, sleeves and hem, as the sewing machine left them."""
    mask = Image.new("L", (SIDE * SMOOTH, SIDE * SMOOTH))
    draw = ImageDraw.Draw(mask)
    collar = _curve((600, 276), (722, 266), (750, 152))
    for line in (
        collar,
        _curve((1072, 446), (996, 506), (918, 524)),
        _curve((930, 214), (892, 330), (884, 452)),
        _curve((890, 1062), (760, 1090), (600, 1088)),
    ):
        for points in (line, [(SIDE - x, y) for x, y in line]):
            draw.line([(x * SMOOTH, y * SMOOTH) for x, y in points], 255, 5, joint="curve")
    return mask.reduce(SMOOTH)
