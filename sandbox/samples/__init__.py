"""Sample goods: designs, archives and a book with real files, drawn here, the same every time."""

import json
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from sandbox.samples import book, shirt
from sandbox.samples.canvas import Canvas
from sandbox.samples.catalogue import BUNDLES, DESIGNS, Bundle, Design, Draw

BOOK = "coins-at-the-counter"
ORDER = [design.slug for design in DESIGNS]
DAY = (2026, 1, 3, 12, 0, 0)  # on every file in an archive, so that it is the same every time
LICENCE = """\
LICENCE OF USE

You may print this design on goods and sell them, up to a thousand pieces, without naming anyone.
You may change its colours and its size.
You may not sell or give away the files themselves, nor claim to have drawn them.
"""
EXCLUSIVE = """\
DEED OF EXCLUSIVE LICENCE

The holder of this file and of the receipt that came with it is the only one who may print, publish
and sell this design, without limit of number, place or time. The shop will not sell it again.
"""


def write(folder: Path, *, scale: float = 1.0) -> int:
    """Draw all sample goods into a folder; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), get_context("spawn")) as pool:
        mains = pool.map(partial(_write, folder, scale), DESIGNS)
        drawn = {design.slug: main for design, main in zip(DESIGNS, mains, strict=True)}
    _write_book(folder, scale, position=15)
    for place, bundle in enumerate(BUNDLES):
        _write_bundle(folder, bundle, drawn, position=200 + 10 * place)
    return len(DESIGNS) + len(BUNDLES) + 1


def _write(folder: Path, scale: float, design: Design) -> bytes:
    """Files, pictures and sheet of one design; its main picture as PNG."""
    image = _drawn(design.draw, scale)
    main = _png(image)
    if design.variants:
        prints = {name: _png(_drawn(draw, scale)) for name, draw in design.variants.items()}
        files = {f"{design.slug}-{name}.png": png for name, png in prints.items()}
        _zip(folder / f"{design.slug}.zip", {**files, "LICENCE.txt": LICENCE.encode()})
    else:
        (folder / f"{design.slug}.png").write_bytes(main)
    pictures = {}
    if design.is_framed:
        pictures = {
            f"{design.slug}-on-a-shirt.jpg": shirt.shirt(image, design.shirt, design.ground),
            f"{design.slug}-card.jpg": shirt.card(image, design.shirt),
        }
    _describe(folder, design, pictures, position=10 * ORDER.index(design.slug))
    return main


def _write_bundle(folder: Path, bundle: Bundle, drawn: dict[str, bytes], position: int) -> None:
    files = {f"{slug}.png": drawn[slug] for slug in bundle.members}
    paper = {"DEED.txt": EXCLUSIVE} if bundle.is_exclusive else {"LICENCE.txt": LICENCE}
    papers = {name: text.encode() for name, text in paper.items()}
    _zip(folder / f"{bundle.slug}.zip", {**files, **papers})
    images = []
    for slug in bundle.members:
        with Image.open(BytesIO(drawn[slug])) as image:
            image.load()
            images.append((image, next(design for design in DESIGNS if design.slug == slug)))
    picture = shirt.rail([(image, design.shirt) for image, design in images], bundle.ground)
    _describe(folder, bundle, {f"{bundle.slug}-shown.jpg": picture}, position=position)


def _write_book(folder: Path, scale: float, position: int) -> None:
    (folder / f"{BOOK}.pdf").write_bytes(book.bound(max(scale * 0.6, 0.05)))
    picture = book.shown(0.3)
    good = Bundle(
        slug=BOOK,
        name=f"{book.TITLE} (PDF)",
        price="15.00",
        summary=book.SUBTITLE + ", in twenty short chapters.",
        text="For people who keep a small shop and wonder whether to take coins at the counter.\n\n"
        "- one page to a chapter, no jargon left unexplained\n"
        "- prices, refunds, late payments, taxes, and what to do when things fail\n"
        "- a list to pin up beside the till",
        tags=["Book"],
        members=[],
        ground="",
    )
    _describe(folder, good, {f"{BOOK}-cover.jpg": picture}, position=position)


def _drawn(draw: Draw, scale: float) -> Image.Image:
    canvas = Canvas(scale)
    draw(canvas)
    return canvas.image


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", dpi=(250, 250), compress_level=6)
    return file.getvalue()


def _zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, DAY), content)


def _describe(
    folder: Path, good: Design | Bundle, pictures: dict[str, Image.Image], position: int
) -> None:
    for name, picture in pictures.items():
        picture.save(folder / name, "JPEG", quality=90)
    sheet: dict[str, object] = {
        "name": good.name,
        "price": good.price,
        "summary": good.summary,
        "text": good.text,
        "tags": good.tags,
        "version": "1.0",
        "position": position,
    }
    if pictures:
        sheet["pictures"] = list(pictures)
    # Strings and lists of them are written in TOML as in JSON.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in sheet.items()]
    (folder / f"{good.slug}.toml").write_text("".join(lines), "utf-8")
