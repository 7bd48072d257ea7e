"""Designs with a picture at their heart."""

import math

from sandbox.samples.canvas import Canvas, Point

_STARS = ((520, 620, 16), (930, 380, 10), (2160, 420, 14), (2540, 700, 9), (1500, 330, 9))


def genesis(canvas: Canvas) -> None:
    """A striped sun goes up behind the hills on the day of the first block."""
    with canvas.blend("#ffd166", "#ef476f") as pen:
        pen.circle(1500, 1320, 1080)
    with canvas.hole() as pen:
        for stripe in range(7):
            top = 1330 + 160 * stripe
            pen.box(300, top, 2700, top + 22 + 13 * stripe)
    with canvas.ink("#5f2a62") as pen:
        pen.polygon(_hills(300, 2700, 2080, (1880, 1640, 1900, 1500, 1850, 1730, 1960), 2280))
    with canvas.ink("#2b1b3d") as pen:
        pen.polygon(_hills(300, 2700, 2280, (2130, 2010, 2200, 1960, 2120), 2400))
        pen.box(300, 2390, 2700, 2412)
    with canvas.ink("#ef476f") as pen:
        pen.fitted(1500, 2860, "GENESIS", 2400)
    with canvas.ink("#ffd166") as pen:
        pen.text(1500, 3080, "03 · JANUARY · 2009", 150, "bold", track=0.12)


def _hills(
    left: float, right: float, base: float, peaks: tuple[int, ...], bottom: float
) -> list[Point]:
    step = (right - left) / (len(peaks) + 1)
    ridge = [(left + step * (place + 1), float(peak)) for place, peak in enumerate(peaks)]
    return [(left, base), *ridge, (right, base), (right, bottom), (left, bottom)]


def merkle(canvas: Canvas) -> None:
    """A tree whose twigs pair up, level by level, down to one root."""
    levels = [
        [(1500 + (leaf - (2**depth - 1) / 2) * spread, y) for leaf in range(2**depth)]
        for depth, (spread, y) in enumerate(
            [(0, 2440), (1320, 1980), (680, 1530), (344, 1110), (174, 700)]
        )
    ]
    with canvas.ink("#6b4226") as pen:
        pen.polygon(
            [(1440, 2420), (1560, 2420), (1590, 2830), (1720, 2950), (1280, 2950), (1410, 2830)]
        )
        for depth, level in enumerate(levels[1:]):
            for place, point in enumerate(level):
                pen.line(_bough(levels[depth][place // 2], point), 84 - 18 * depth)
    for depth, (colour, radius) in enumerate(
        [("#d9a441", 130), ("#a7a33c", 122), ("#6f9e45", 110), ("#3f8f52", 98), ("#1f7a5c", 80)]
    ):
        with canvas.ink(colour) as pen:
            for x, y in levels[depth]:
                pen.circle(x, y, radius)
    with canvas.ink("#f4efe1") as pen:
        for level in levels[:4]:
            for x, y in level:
                pen.circle(x, y, 34)
    with canvas.ink("#1f7a5c") as pen:
        for place, (x, y) in enumerate(levels[4]):
            lift = 110 + 90 * math.sin(math.pi * (place + 0.5) / 16)
            pen.circle(x - 46, y - lift, 58)
            pen.circle(x + 44, y - lift - 70, 44)
    with canvas.ink("#3d2a1a") as pen:
        pen.text(1500, 3250, "Trust the root.", 300, "serif-black-italic")


def _bough(start: Point, end: Point) -> list[Point]:
    """A curve that leaves upwards and arrives upwards."""
    (x1, y1), (x2, y2) = start, end
    ease = [step / 24 for step in range(25)]
    return [(x1 + (x2 - x1) * (3 * t**2 - 2 * t**3), y1 + (y2 - y1) * t) for t in ease]


def wave(canvas: Canvas) -> None:
    """Rolling waves of overlapping rings under a red sun."""
    with canvas.ink("#d8412f") as pen:
        pen.circle(1500, 1020, 720)
    for row in range(7):
        y = 1480 + 220 * row
        for colour, radius in (
            ("#16324f", 420),
            ("#f3ead7", 376),
            ("#2a6f97", 330),
            ("#f3ead7", 236),
            ("#16324f", 190),
            ("#f3ead7", 96),
            ("#2a6f97", 54),
        ):
            with canvas.ink(colour) as pen:
                for place in range(-1, 8):
                    pen.circle(80 + 400 * place + (row % 2) * 200 + 40, y + 300, radius)
    with canvas.hole() as pen:
        pen.box(0, 2760, 3000, 3600)
        pen.box(0, 0, 300, 3600)
        pen.box(2700, 0, 3000, 3600)
    with canvas.ink("#16324f") as pen:
        pen.fitted(1500, 3060, "SMALL PAYMENTS", 2400, "black")
        pen.text(1500, 3260, "make big waves", 200, "serif-italic")


def moons(canvas: Canvas) -> None:
    """The moon wanes by half and half again, as the reward for a block does."""
    rewards = ("50", "25", "12.5", "6.25", "3.125")
    with canvas.ink("#b8b0f0") as pen:
        pen.arc(1500, 2400, 1604, 229, 311, width=8)
    for place, reward in enumerate(rewards):
        angle = math.radians(229 + 20.5 * place)
        x, y, radius = 1500 + 1600 * math.cos(angle), 2400 + 1600 * math.sin(angle), 205
        with canvas.ink("#35305f") as pen:
            pen.circle(x, y, radius)
        with canvas.ink("#f6f1d5") as pen:
            pen.polygon(_crescent(x, y, radius, 1 / 2**place))
        with canvas.ink("#b8b0f0") as pen:
            pen.text(x, y + 370, reward, 108, "medium")
    with canvas.ink("#f6f1d5") as pen:
        for x, y, radius in _STARS:
            pen.circle(x, y, radius)
        pen.fitted(1500, 2140, "HALVING", 2000, "light")
        pen.fitted(1500, 2720, "MOON", 2000, "light")
    with canvas.ink("#b8b0f0") as pen:
        pen.text(1500, 2990, "EVERY 210,000 BLOCKS", 112, "medium", track=0.28)


def _crescent(x: float, y: float, radius: float, lit: float) -> list[Point]:
    """The lit part of a moon's disc, 1 being full: its limb, and back along the shadow's edge."""
    turns = [math.pi * step / 90 for step in range(91)]
    limb = [(x + radius * math.sin(turn), y - radius * math.cos(turn)) for turn in turns]
    shadow = [
        (x + radius * (1 - 2 * lit) * math.sin(turn), y - radius * math.cos(turn))
        for turn in reversed(turns)
    ]
    return limb + shadow


def cubes(canvas: Canvas) -> None:
    """A pyramid of blocks: every one of them has room."""
    size = 260.0
    slant = size * math.sqrt(3) / 2
    heap = [
        (column, row, floor)
        for floor in range(4)
        for row in range(4 - floor)
        for column in range(4 - floor)
    ]
    for column, row, floor in sorted(heap, key=lambda block: (block[2], block[0] + block[1])):
        x = 1500 + (column - row) * slant
        y = 1340 + (column + row) * size / 2 - floor * size
        for colour, points in _cube(x, y, size, slant):
            with canvas.ink(colour) as pen:
                pen.polygon(points)
    with canvas.ink("#1d7874") as pen:
        pen.fitted(1500, 3110, "BIG BLOCKS", 2300)
    with canvas.ink("#f2704e") as pen:
        pen.text(1500, 3310, "ROOM FOR EVERYONE", 132, "bold", track=0.32)


def _cube(x: float, y: float, size: float, slant: float) -> list[tuple[str, list[Point]]]:
    half = size / 2
    return [
        ("#ffcf56", [(x, y - half), (x + slant, y), (x, y + half), (x - slant, y)]),
        ("#f2704e", [(x - slant, y), (x, y + half), (x, y + half + size), (x - slant, y + size)]),
        ("#1d7874", [(x + slant, y), (x, y + half), (x, y + half + size), (x + slant, y + size)]),
    ]


def globe(canvas: Canvas, *, has_words: bool = True) -> None:
    """One ledger round the world."""
    with canvas.ink("#0b7285") as pen:
        pen.circle(1500, 1450, 1120)
    with canvas.ink("#c5f6fa") as pen:
        for width in (0.001, 380, 740, 1010):
            pen.ellipse(1500, 1450, max(width, 6), 1120, width=14)
        for lift in (-840, -450, 0, 450, 840):
            reach = math.sqrt(1120**2 - lift**2)
            pen.line([(1500 - reach, 1450 + lift), (1500 + reach, 1450 + lift)], 14)
    towns = [
        (880, 900),
        (1420, 720),
        (2080, 1010),
        (760, 1620),
        (1320, 1380),
        (1890, 1560),
        (2330, 1700),
        (1080, 2120),
        (1690, 2230),
    ]
    roads = [
        (0, 1),
        (1, 2),
        (0, 4),
        (4, 2),
        (3, 4),
        (4, 5),
        (5, 6),
        (2, 6),
        (3, 7),
        (7, 8),
        (8, 5),
        (0, 3),
        (4, 8),
    ]
    with canvas.ink("#ffd43b") as pen:
        for start, end in roads:
            pen.line([towns[start], towns[end]], 20)
    with canvas.ink("#0b3b46") as pen:
        for x, y in towns:
            pen.circle(x, y, 92)
    with canvas.ink("#ffd43b") as pen:
        for x, y in towns:
            pen.circle(x, y, 66)
    if not has_words:
        return
    with canvas.ink("#ffd43b") as pen:
        pen.fitted(1500, 3060, "GLOBAL LEDGER", 2400)
    with canvas.ink("#66d9e8") as pen:
        pen.text(1500, 3270, "ONE RECORD · OPEN TO ALL", 128, "bold", track=0.16)
