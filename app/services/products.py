"""Products out of a folder: prepared first, so that the database is held only for the writing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PIL.Image import Image
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import Picture, Product, Release, ReleaseFile, Tag
from app.services import files, goods, pictures, previews
from app.services.goods import Good, Sheet
from app.services.pictures import StoredPicture
from app.storage import DiskFull, TooLarge
from app.wiring import wiring

PREVIEWED = {"image/png", "image/jpeg", "image/webp"}


class GoodRefused(ValueError):
    """Something in the folder that does not become a product; the text says why."""


class Outcome(StrEnum):
    ADDED = "added"
    RELEASED = "new release"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that is in the private storage already, as its release will remember it."""

    name: str
    sha256: str
    size: int
    media_type: str
    facts: files.Facts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A good with its files and pictures stored, ready to be written down."""

    good: Good
    sheet: Sheet
    files: list[PreparedFile]
    pictures: list[StoredPicture]


def prepare(good: Good) -> Prepared:
    """Check a good and store its files and pictures, without touching the database."""
    try:
        sheet = goods.read_sheet(good.sheet)
    except goods.SheetRefused as error:
        raise GoodRefused(str(error)) from error
    if not good.files:
        raise GoodRefused(f"no file to sell lies beside {good.stem}{goods.SHEET}")
    kept = [_keep(path) for path in good.files]
    return Prepared(good, sheet, kept, _show(good, sheet))


def save(prepared: Prepared) -> tuple[Product, Outcome]:
    """Write a product down, or bring the one of the same address up to date."""
    slug = prepared.good.slug
    product = db.session.scalar(select(Product).where(Product.slug == slug).with_for_update())
    is_new = product is None
    if product is None:
        product = _blank(prepared.good)
        db.session.add(product)
    released = _release(product, prepared)
    described = _describe(product, prepared)
    if not released and not described:
        return product, Outcome.UNCHANGED
    product.updated_at = clock.now()
    db.session.flush()
    if is_new:
        return product, Outcome.ADDED
    return product, Outcome.RELEASED if released else Outcome.UPDATED


def _blank(good: Good) -> Product:
    now = clock.now()
    return Product(
        slug=good.slug,
        name=good.name,
        summary="",
        description="",
        price_minor=0,
        is_active=False,
        position=0,
        created_at=now,
        updated_at=now,
    )


def _keep(path: Path) -> PreparedFile:
    name = files.display_name(path.name)
    if path.is_symlink():
        raise GoodRefused(f"{name}: a link is not followed, put the file itself here")
    try:
        facts = files.examine(path)
        with path.open("rb") as source:
            stored = wiring().files.put(source, limit=files.MAX_BYTES)
    except files.FileRefused as error:
        raise GoodRefused(f"{name}: {error}") from error
    except TooLarge as error:
        raise GoodRefused(f"{name}: the file is too large") from error
    except DiskFull as error:
        raise GoodRefused(f"{name}: the disk is full") from error
    except OSError as error:
        raise GoodRefused(f"{name}: {error.strerror}") from error
    return PreparedFile(name, stored.key, stored.size, files.kind_of(path).media_type, facts)


def _show(good: Good, sheet: Sheet) -> list[StoredPicture]:
    """The pictures the sheet names, else a preview of an image, else a drawn cover."""
    folder = good.files[0].parent
    if sheet.pictures:
        return [_stored(_beside(folder, name), pictures.store) for name in sheet.pictures]
    for path in good.files:
        if files.kind_of(path).media_type in PREVIEWED:
            return [_stored(path, lambda image: pictures.store(previews.marked(image)))]
    labels = " + ".join(dict.fromkeys(files.kind_of(path).label for path in good.files))
    return [pictures.store(previews.cover(sheet.name or good.name, labels))]


def _beside(folder: Path, name: str) -> Path:
    path = folder / name
    if Path(name).name != name or path.is_symlink():
        raise GoodRefused(f"{files.display_name(name)}: a picture must lie in the folder itself")
    return path


def _stored(path: Path, store: Callable[[Image], StoredPicture]) -> StoredPicture:
    name = files.display_name(path.name)
    try:
        with path.open("rb") as source:
            return store(pictures.read(source))
    except pictures.PictureRefused as error:
        raise GoodRefused(f"{name}: {error}") from error
    except OSError as error:
        raise GoodRefused(f"{name}: {error.strerror}") from error


def _release(product: Product, prepared: Prepared) -> bool:
    """Add a release when the bytes are not those of the newest one."""
    newest = product.releases[-1] if product.releases else None
    offered = {(file.name, file.sha256) for file in prepared.files}
    if newest is not None and {(file.name, file.sha256) for file in newest.files} == offered:
        return False
    version = prepared.sheet.version or str(len(product.releases) + 1)
    if version in {release.version for release in product.releases}:
        raise GoodRefused(
            f"version {version} was released with other content: give the new files a new version"
        )
    product.releases.append(
        Release(
            version=version,
            released_at=clock.now(),
            files=[
                ReleaseFile(
                    name=file.name,
                    sha256=file.sha256,
                    size=file.size,
                    media_type=file.media_type,
                    facts=file.facts,
                )
                for file in prepared.files
            ],
        )
    )
    return True


def _describe(product: Product, prepared: Prepared) -> bool:
    """Take over what the sheet says, leave the rest as it is; whether anything changed."""
    sheet = prepared.sheet
    wanted: dict[str, object] = {
        "name": sheet.name or product.name,
        "summary": product.summary if sheet.summary is None else sheet.summary,
        "description": product.description if sheet.text is None else sheet.text,
        "price_minor": product.price_minor if sheet.price is None else sheet.price.minor,
        "position": product.position if sheet.position is None else sheet.position,
    }
    if sheet.price is not None and product.price_minor == 0:
        wanted["is_active"] = True  # it only waited for its price
    changed = {key for key, value in wanted.items() if getattr(product, key) != value}
    for key in changed:
        setattr(product, key, wanted[key])
    tagged, pictured = _tag(product, sheet), _picture(product, prepared)
    return bool(changed) or tagged or pictured


def _tag(product: Product, sheet: Sheet) -> bool:
    if sheet.tags is None:
        return False
    names = {goods.slugify(name): name for name in sheet.tags}
    if set(names) == {tag.slug for tag in product.tags}:
        return False
    known = {tag.slug: tag for tag in db.session.scalars(select(Tag).where(Tag.slug.in_(names)))}
    product.tags = [known.get(slug) or Tag(slug=slug, name=name) for slug, name in names.items()]
    return True


def _picture(product: Product, prepared: Prepared) -> bool:
    if [picture.key for picture in product.pictures] == [shown.key for shown in prepared.pictures]:
        return False
    product.pictures = [
        Picture(
            key=shown.key,
            thumbnail_key=shown.thumbnail_key,
            alt=product.name if position == 0 else f"{product.name}, picture {position + 1}",
            width=shown.width,
            height=shown.height,
            position=position,
        )
        for position, shown in enumerate(prepared.pictures)
    ]
    return True
