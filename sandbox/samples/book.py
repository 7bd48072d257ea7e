"""The sample book: real pages of real text, set by ReportLab with its own type."""

from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFilter
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas as Page
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
)

from sandbox.samples.canvas import FACES, SERIF, Canvas

TITLE = "Coins at the Counter"
SUBTITLE = "A small shop’s guide to taking Bitcoin SV"
INK, ACCENT = HexColor("#23302a"), HexColor("#b5482f")
TEXT = Path(__file__).with_name("book.md")


def cover(scale: float) -> Image.Image:
    """The cover: a shop's awning over a counter with one coin on it."""
    canvas = Canvas(scale, size=(2100, 2980))
    with canvas.ink("#f3e9d2") as pen:
        pen.box(0, 0, 2100, 2980)
    for place in range(7):
        with canvas.ink("#b5482f" if place % 2 == 0 else "#fffaf0") as pen:
            left = 300 * place
            pen.box(left, 0, left + 300, 620)
            pen.pie(left + 150, 620, 150, 0, 180)
    with canvas.ink("#8f3621") as pen:
        pen.box(0, 0, 2100, 90)
    with canvas.ink("#23302a") as pen:
        pen.fitted(1050, 1260, "Coins at", 1240, "serif-black")
        pen.fitted(1050, 1600, "the Counter", 1560, "serif-black")
        pen.text(1050, 1790, "a small shop’s guide", 110, "serif-italic")
        pen.text(1050, 1930, "to taking Bitcoin SV", 110, "serif-italic")
    with canvas.ink("#2f5d50") as pen:
        pen.box(0, 2520, 2100, 2980)
    with canvas.ink("#23453b") as pen:
        pen.box(0, 2520, 2100, 2590)
    with canvas.ink("#d9982b") as pen:
        pen.circle(1050, 2330, 190)
    with canvas.ink("#f2c14e") as pen:
        pen.circle(1050, 2330, 160)
    with canvas.ink("#a86f12") as pen:
        pen.text(1050, 2405, "B", 210, "black")
    return canvas.image.convert("RGB")


def shown(scale: float) -> Image.Image:
    """The book as it lies on the counter."""
    front = cover(scale)
    width, height = front.size
    picture = Image.new("RGB", (height * 5 // 4, height * 5 // 4), "#cfdcd2")
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    shadow = Image.new("L", picture.size)
    shadow.paste(120, (left + 14, top + 22, left + width + 14, top + height + 22))
    picture.paste("#000000", mask=shadow.filter(ImageFilter.GaussianBlur(18)))
    picture.paste("#fffaf0", (left + 4, top + 4, left + width + 10, top + height + 6))
    picture.paste(front, (left, top))
    return picture


def bound(scale: float) -> bytes:
    """The whole book as a PDF, the same bytes every time."""
    for name, path in (
        ("Text", SERIF["SourceSerifPro"]),
        ("Italic", SERIF["SourceSerifProIt"]),
        ("Title", SERIF["SourceSerifProBlack"]),
        ("Small", FACES["medium"]),
    ):
        registerFont(TTFont(name, path))
    file = BytesIO()
    width, height = A5
    frame = Frame(20 * mm, 22 * mm, width - 40 * mm, height - 44 * mm, 0, 0, 0, 0)
    document = BaseDocTemplate(
        file, pagesize=A5, title=TITLE, author="The Corner Shop", subject=SUBTITLE, invariant=1
    )
    picture = ImageReader(cover(scale))

    def draw_cover(page: Page, _document: BaseDocTemplate) -> None:
        page.drawImage(picture, 0, 0, width, height)

    def draw_folio(page: Page, _document: BaseDocTemplate) -> None:
        page.setFont("Small", 7.5)
        page.setFillColor(INK)
        page.drawCentredString(width / 2, 12 * mm, f"{TITLE}   ·   {page.getPageNumber()}")

    document.addPageTemplates(
        [
            PageTemplate("cover", [frame], onPage=draw_cover, autoNextPageTemplate="page"),
            PageTemplate("page", [frame], onPage=draw_folio),
        ]
    )
    document.build(_story(_chapters()))
    return file.getvalue()


def _chapters() -> list[tuple[str, list[str]]]:
    """Titles and paragraphs."""
    chapters = []
    for part in TEXT.read_text("utf-8").removeprefix("# ").split("\n# "):
        title, *paragraphs = part.strip().split("\n\n")
        chapters.append((title, paragraphs))
    return chapters


def _story(chapters: list[tuple[str, list[str]]]) -> list[Flowable]:
    text = ParagraphStyle(
        "text",
        fontName="Text",
        fontSize=11,
        leading=16.5,
        textColor=INK,
        alignment=TA_JUSTIFY,
        spaceAfter=8,
    )
    title = ParagraphStyle(
        "title", fontName="Title", fontSize=21, leading=26, textColor=INK, spaceAfter=16
    )
    number = ParagraphStyle("number", fontName="Italic", fontSize=12, leading=18, textColor=ACCENT)
    entry = ParagraphStyle("entry", parent=text, leading=17, spaceAfter=2)
    story: list[Flowable] = [
        PageBreak(),
        Spacer(0, 50 * mm),
        Paragraph(TITLE, ParagraphStyle("large", parent=title, fontSize=30, leading=36)),
        Paragraph(SUBTITLE, number),
        Spacer(0, 40 * mm),
        Paragraph("A sample book. You may copy it, print it and give it away.", text),
        PageBreak(),
        Paragraph("Contents", title),
    ]
    for place, (name, _) in enumerate(chapters, start=1):
        story.append(Paragraph(f'<font name="Italic">{place}</font>   {escape(name)}', entry))
    for place, (name, paragraphs) in enumerate(chapters, start=1):
        story += [
            PageBreak(),
            Paragraph(f"Chapter {place}", number),
            Paragraph(escape(name), title),
        ]
        story += [Paragraph(escape(paragraph), text) for paragraph in paragraphs]
    return story
