"""Designs made of letters and plain shapes."""

import math
from hashlib import sha256

from sandbox.samples.canvas import Canvas, Pen

GENESIS_HEADER = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
Palette = tuple[str, ...]


def peers(canvas: Canvas) -> None:
    """Two of them, and what they share."""
    with canvas.ink("#ff6b6b") as pen:
        pen.circle(1060, 1150, 780)
    with canvas.ink("#4361ee") as pen:
        pen.circle(1940, 1150, 780)
    with canvas.ink("#2b2d63") as pen:
        pen.polygon(_lens(1060, 1940, 1150, 780))
    with canvas.ink("#fdf7ec") as pen:
        pen.text(1500, 1210, "to", 330, "serif-black-italic")
    with canvas.ink("#fdf7ec") as pen:
        pen.text(770, 1235, "PEER", 300, "black")
        pen.text(2230, 1235, "PEER", 300, "black")
    with canvas.ink("#2b2d63") as pen:
        pen.text(1500, 2330, "No one", 330, "black")
        pen.text(1500, 2690, "in between", 330, "black")
    with canvas.ink("#ff6b6b") as pen:
        pen.box(1300, 2860, 1700, 2890, round_by=15)


def _lens(left: float, right: float, y: float, radius: float) -> list[tuple[float, float]]:
    half = math.degrees(math.acos((right - left) / 2 / radius))
    turns = [math.radians(-half + 2 * half * step / 60) for step in range(61)]
    east = [(left + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]
    west = [(right - radius * math.cos(turn), y - radius * math.sin(turn)) for turn in turns]
    return east + west


def one_sat(canvas: Canvas) -> None:
    """The smallest coin, drawn as large as it goes."""
    numeral = (
        (1120, 760),
        (1560, 420),
        (1900, 420),
        (1900, 2480),
        (1470, 2480),
        (1470, 960),
        (1120, 1200),
    )
    for place, colour in enumerate(
        ("#f72585", "#b5179e", "#7209b7", "#3f37c9", "#4895ef", "#4cc9f0")
    ):
        shift = 60 * (5 - place)
        with canvas.ink(colour) as pen:
            pen.polygon([(x - 90 + shift, y - 60 + shift) for x, y in numeral])
    with canvas.ink("#ffffff") as pen:
        pen.polygon([(x - 90, y - 60) for x, y in numeral])
    with canvas.ink("#4cc9f0") as pen:
        pen.fitted(1500, 3110, "SATOSHI", 2100)
    with canvas.ink("#f72585") as pen:
        pen.text(1500, 3330, "0.000 000 01", 170, "bold", track=0.12)


def proof(canvas: Canvas) -> None:
    """A workers' badge: two picks, a round of type, the year it began."""
    with canvas.ink("#e9c46a") as pen:
        teeth = [
            (1500 + r * math.cos(a), 1750 + r * math.sin(a))
            for step in range(120)
            for r, a in [(1380 if step % 2 else 1330, math.tau * step / 120)]
        ]
        pen.polygon(teeth)
    with canvas.ink("#264653") as pen:
        pen.circle(1500, 1750, 1270)
    with canvas.ink("#e9c46a") as pen:
        pen.ring(1500, 1750, 1225, 14)
        pen.ring(1500, 1750, 845, 14)
        pen.round_text(1500, 1750, 1035, "PROOF OF WORK", size=270, face="black")
        pen.round_text(1500, 1750, 1035, "HONEST SINCE 2009", size=170, face="bold", below=True)
        for x in (468, 2532):
            pen.polygon(_star(x, 1800, 74, 32))
    for flip in (1, -1):
        with canvas.ink("#f4a261") as pen:
            pen.line([(1500 - flip * 400, 2200), (1500 + flip * 340, 1420)], 76)
        with canvas.ink("#f1ede2") as pen:
            pen.polygon(_pick(flip))
    with canvas.ink("#e76f51") as pen:
        pen.polygon(_star(1500, 2330, 150, 64))


def _star(x: float, y: float, outer: float, inner: float) -> list[tuple[float, float]]:
    return [
        (x + r * math.sin(math.pi * step / 5), y - r * math.cos(math.pi * step / 5))
        for step in range(10)
        for r in [inner if step % 2 else outer]
    ]


def _pick(flip: int) -> list[tuple[float, float]]:
    """The iron of a pick, across the end of its handle, thinning out to both points."""
    along, across = (flip * 0.69, -0.725), (0.725, flip * 0.69)
    points = []
    for edge in (1, -1):
        for step in range(-20, 21):
            out = step * edge / 20
            lift = edge * 52 * (1 - out * out) - 150 * out * out
            points.append(
                (
                    1500 + flip * 340 + along[0] * lift + across[0] * 400 * out,
                    1420 + along[1] * lift + across[1] * 400 * out,
                )
            )
    return points


def receipt(canvas: Canvas) -> None:
    """The bill of a good morning, settled in coins."""
    left, right, top, bottom = 760.0, 2240.0, 300.0, 3300.0
    teeth = 16
    step = (right - left) / teeth
    edge = [(right - step * (n + 0.5 * k), bottom + 70 * k) for n in range(teeth) for k in (0, 1)]
    head = [(left + step * (n + 0.5 * k), top - 70 * k) for n in range(teeth) for k in (0, 1)]
    with canvas.ink("#f7f3e8") as pen:
        pen.polygon([*head, (right, top), (right, bottom), *edge, (left, bottom)])
    with canvas.ink("#23302a") as pen:
        pen.text(1500, 620, "The Corner Shop", 178, "serif-black")
        pen.text(1500, 760, "open early · closed late", 96, "serif-italic")
        for y in (850, 1930, 2330):
            for dash in range(19):
                pen.box(860 + 68 * dash, y, 860 + 68 * dash + 40, y + 10)
        for row, (what, sum_) in enumerate(
            (
                ("Coffee", "0.12"),
                ("Bun, warm", "0.09"),
                ("Newspaper", "0.08"),
                ("A good word", "0.00"),
            )
        ):
            pen.text(860, 1120 + 240 * row, what, 132, "medium", anchor="l")
            pen.text(2140, 1120 + 240 * row, sum_, 132, "medium", anchor="r")
        pen.text(860, 2185, "TOTAL", 150, "black", anchor="l")
        pen.text(2140, 2185, "0.29 BSV", 150, "black", anchor="r")
        x = 900.0
        for bit in bin(int(GENESIS_HEADER[12:32], 16))[2:62]:
            wide = 22 if bit == "1" else 9
            pen.box(x, 2960, x + wide * 0.66, 3170)
            x += 20
    with canvas.ink("#d1495b") as pen:
        pen.box(1010, 2440, 1990, 2830, round_by=60)
        pen.box(1040, 2470, 1960, 2800, round_by=40, ink=False)
        pen.fitted(1500, 2745, "PAID", 760, "black")


def low_fee(canvas: Canvas) -> None:
    """A club anyone can afford to join."""
    with canvas.ink("#9b2226") as pen:
        pen.round_text(1500, 2640, 1800, "LOW FEE", size=540, face="black")
        pen.fitted(1500, 2170, "CLUB", 1760)
        pen.text(1500, 2860, "MEMBERS PAY LESS THAN A CENT", 104, "bold", track=0.12)
    with canvas.ink("#ee9b00") as pen:
        for place, wide in enumerate((1240, 1500, 1760)):
            pen.box(1500 - wide / 2, 1240 + 92 * place, 1500 + wide / 2, 1290 + 92 * place)
        pen.polygon(_star(1500, 2480, 150, 62))
        for x in (1080, 1920):
            pen.polygon(_star(x, 2480, 96, 40))


def runner(canvas: Canvas) -> None:
    """Stripes at full speed."""
    for place, colour in enumerate(("#ffbe0b", "#fb5607", "#ff006e", "#8338ec", "#3a86ff")):
        y, left = 560 + 190 * place, 380 + 130 * place
        with canvas.ink(colour) as pen:
            pen.polygon([(left, y), (1560, y), (1560, y + 120), (left - 70, y + 120)])
            pen.arc(1560, 1720, 1160 - 190 * place, -90, 0, width=120)
            pen.box(2600 - 190 * place, 1715, 2720 - 190 * place, 1860)
    with canvas.ink("#f8f9fa") as pen:
        pen.fitted(1500, 2560, "NODE", 2300, "black")
        pen.fitted(1500, 3110, "RUNNER", 2300, "black")
    with canvas.hole() as pen:
        for place in range(10):
            y = 2180 + 104 * place
            pen.box(300, y, 2700, y + 8 + 1.6 * place)
    with canvas.ink("#ffbe0b") as pen:
        pen.text(1500, 3330, "ALWAYS IN SYNC", 130, "bold", track=0.3)


def bauhaus(canvas: Canvas, palette: Palette) -> None:
    """Quarter circles, rings and squares, dealt out by the hash of the first block."""
    cell, left, top = 480, 300, 360
    dealt = bytes.fromhex(GENESIS_HEADER) + sha256(bytes.fromhex(GENESIS_HEADER)).digest()
    tiles = [
        (column, row, *divmod(dealt[5 + row * 5 + column], 16))
        for row in range(6)
        for column in range(5)
    ]
    for hue, colour in enumerate(palette):
        with canvas.ink(colour) as pen:
            for column, row, high, _ in tiles:
                if (high + column + row) % len(palette) == hue:
                    pen.box(
                        left + column * cell,
                        top + row * cell,
                        left + (column + 1) * cell,
                        top + (row + 1) * cell,
                    )
    for hue, colour in enumerate(palette):
        with canvas.ink(colour) as pen:
            for column, row, high, low in tiles:
                base = (high + column + row) % len(palette)
                if (base + 1 + low % (len(palette) - 1)) % len(palette) == hue:
                    _motif(pen, left + column * cell, top + row * cell, cell, low)


def _motif(pen: Pen, x: float, y: float, cell: float, kind: int) -> None:
    corners = ((x, y, 0), (x + cell, y, 90), (x + cell, y + cell, 180), (x, y + cell, 270))
    corner_x, corner_y, start = corners[kind // 4]
    if kind % 4 == 0:
        pen.pie(corner_x, corner_y, cell, start, start + 90)
    elif kind % 4 == 1:
        pen.circle(x + cell / 2, y + cell / 2, cell * 0.36)
    elif kind % 4 == 2:
        opposite = corners[(kind // 4 + 1) % 4]
        before = corners[(kind // 4 + 3) % 4]
        pen.polygon([(corner_x, corner_y), opposite[:2], before[:2]])
    else:
        for reach in (1.0, 0.64, 0.28):
            pen.arc(corner_x, corner_y, cell * reach, start, start + 90, width=cell * 0.18)


def ridges(canvas: Canvas, palette: Palette) -> None:
    """A mountain range nobody chose: every summit is a byte of a hash."""
    digest = bytes.fromhex(GENESIS_HEADER)
    lines = 26
    for row in range(lines):
        digest = sha256(digest).digest()
        base = 620 + 74 * row
        points = []
        for step in range(201):
            place = step / 200
            hill = math.exp(-(((place - 0.5) / 0.17) ** 2))
            lift = sum(
                (byte / 255) ** 2 * math.exp(-(((place - (0.2 + 0.6 * peak / 31)) / 0.016) ** 2))
                for peak, byte in enumerate(digest)
            )
            points.append((420 + 2160 * place, base - hill * lift * 330))
        with canvas.hole() as pen:
            pen.polygon([*points, (2580, base + 50), (420, base + 50)])
        with canvas.ink(palette[row * len(palette) // lines]) as pen:
            pen.line(points, 15)
    with canvas.ink(palette[0]) as pen:
        pen.text(1500, 2960, "UNGUESSABLE", 240, "light", track=0.3)
        pen.text(1500, 3160, "SHA-256 of SHA-256", 110, "serif-italic", track=0.06)


def stickers(canvas: Canvas) -> None:
    """Six small rounds to cut out."""
    sheet = (
        ("#f94144", "#fff4e6", "SATS", "accepted here"),
        ("#f3722c", "#fff4e6", "PAID", "in a blink"),
        ("#f9c74f", "#3d2c00", "TIP", "a thousand sats"),
        ("#43aa8b", "#f1fffa", "BSV", "spoken here"),
        ("#277da1", "#eef9ff", "NODE", "at home"),
        ("#7b5ea7", "#f8f1ff", "OWN", "your own keys"),
    )
    for place, (ground, ink, word, line) in enumerate(sheet):
        x, y = 800 + 1400 * (place % 2), 680 + 1120 * (place // 2)
        with canvas.ink("#ffffff") as pen:
            pen.circle(x, y, 530)
        with canvas.ink(ground) as pen:
            pen.circle(x, y, 480)
        with canvas.ink(ink) as pen:
            pen.ring(x, y, 440, 10)
            pen.text(x, y + 70, word, 250, "black")
            pen.text(x, y + 230, line, 98, "serif-italic")
