"""`flask products import`: a folder becomes a catalogue, once and again."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from PIL import Image
from sqlalchemy import select

from app.extensions import db
from app.models import Product, ReleaseFile
from app.services import catalog_version
from app.wiring import wiring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "goods to sell"
    made.mkdir()
    return made


@pytest.fixture
def design(folder: Path) -> Path:
    """A picture with a full sheet beside it."""
    path = folder / "summer-sun.png"
    path.write_bytes(png())
    (folder / "summer-sun.toml").write_text(
        'name = "Summer Sun"\nprice = "12.00"\nsummary = "Warm."\ntext = "**Very** warm."\n'
        'tags = ["T-shirt", "Retro"]\nversion = "1.0"\nposition = 7\n'
    )
    return path


def png(colour: str = "#ffaa00", size: tuple[int, int] = (300, 360)) -> bytes:
    file = BytesIO()
    Image.new("RGBA", size, colour).save(file, "PNG")
    return file.getvalue()


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", png())
        archive.writestr("LICENCE.txt", "Use it well.")


def run(app: Flask, folder: Path) -> Result:
    result = app.test_cli_runner().invoke(args=["products", "import", str(folder)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    db.session.expire_all()
    return result


def product(slug: str) -> Product:
    return db.session.scalars(select(Product).where(Product.slug == slug)).one()


def version_shown() -> int:
    """The catalogue's version, asked for outside of any transaction, as visitors' pages do."""
    db.session.rollback()
    return catalog_version.current()


def test_a_sheet_describes_its_product(app: Flask, folder: Path, design: Path) -> None:
    result = run(app, folder)

    sun = product("summer-sun")
    assert result.exit_code == 0
    assert "added        Summer Sun" in result.output
    assert "Products: 1 added." in result.output
    assert (sun.name, str(sun.price), sun.is_active) == ("Summer Sun", "12.00 USD", True)
    assert (sun.summary, sun.description, sun.position) == ("Warm.", "**Very** warm.", 7)
    assert [tag.name for tag in sun.tags] == ["Retro", "T-shirt"]


def test_the_file_is_kept_privately_with_its_facts(app: Flask, folder: Path, design: Path) -> None:
    run(app, folder)

    (release,) = product("summer-sun").releases
    (file,) = release.files
    assert release.version == "1.0"
    assert (file.name, file.media_type) == ("summer-sun.png", "image/png")
    assert file.facts == {"width": 300, "height": 360}
    assert file.size == design.stat().st_size
    assert wiring().files.path(file.sha256).read_bytes() == design.read_bytes()


def test_the_picture_of_a_sold_image_is_not_the_sold_image(
    app: Flask, folder: Path, design: Path
) -> None:
    run(app, folder)

    (picture,) = product("summer-sun").pictures
    with Image.open(wiring().pictures.path(picture.key)) as shown:
        assert shown.format == "WEBP"
        assert len(shown.convert("RGB").getcolors(1 << 24) or ()) > 50, "no mark across it"
    assert picture.alt == "Summer Sun"


def test_a_product_without_a_price_is_hidden_until_it_has_one(app: Flask, folder: Path) -> None:
    zipped(folder / "three_prints.zip")

    hidden = run(app, folder)

    assert hidden.exit_code == 0
    assert "Three prints (hidden until its .toml gives a price)" in hidden.output
    prints = product("three-prints")
    assert not prints.is_active
    assert prints.releases[0].files[0].facts == {"entries": 2}
    assert len(prints.pictures) == 1, "a cover is drawn"

    (folder / "three_prints.toml").write_text("price = 9.5\n")
    run(app, folder)

    assert product("three-prints").is_active
    assert product("three-prints").price_minor == 950


def test_importing_again_changes_nothing(app: Flask, folder: Path, design: Path) -> None:
    run(app, folder)
    sun = product("summer-sun")
    before = (sun.id, sun.updated_at, [picture.id for picture in sun.pictures])
    version = version_shown()

    result = run(app, folder)

    sun = product("summer-sun")
    assert "Products: 1 unchanged." in result.output
    assert (sun.id, sun.updated_at, [picture.id for picture in sun.pictures]) == before
    assert len(sun.releases) == 1
    assert version_shown() == version


def test_other_bytes_become_a_new_release_and_the_old_one_stays(
    app: Flask, folder: Path, design: Path
) -> None:
    run(app, folder)
    old = product("summer-sun").releases[0].files[0].sha256
    db.session.rollback()
    design.write_bytes(png("#00aaff"))
    sheet = folder / "summer-sun.toml"
    sheet.write_text(sheet.read_text().replace("1.0", "1.1"))

    result = run(app, folder)

    assert "new release  Summer Sun" in result.output
    assert [release.version for release in product("summer-sun").releases] == ["1.0", "1.1"]
    assert wiring().files.path(old).exists()


def test_versions_count_up_by_themselves(app: Flask, folder: Path) -> None:
    path = folder / "plain.png"
    for colour in ("#111111", "#222222"):
        path.write_bytes(png(colour))
        run(app, folder)

    assert [release.version for release in product("plain").releases] == ["1", "2"]


def test_a_version_never_changes_its_content(app: Flask, folder: Path, design: Path) -> None:
    run(app, folder)
    design.write_bytes(png("#00aaff"))

    result = run(app, folder)

    assert result.exit_code == 1
    assert "version 1.0 was released with other content" in result.stderr
    assert len(product("summer-sun").releases) == 1


def test_a_changed_sheet_changes_the_product_alone(app: Flask, folder: Path, design: Path) -> None:
    run(app, folder)
    version = version_shown()
    (folder / "summer-sun.toml").write_text('name = "Sun"\nprice = 15\ntags = ["New"]\n')

    result = run(app, folder)

    sun = product("summer-sun")
    assert "updated      Sun" in result.output
    assert (sun.name, sun.price_minor, [tag.slug for tag in sun.tags]) == ("Sun", 1500, ["new"])
    assert sun.summary == "Warm.", "what a sheet leaves out stays"
    assert len(sun.releases) == 1
    assert version_shown() > version


def test_a_product_that_was_taken_off_sale_stays_off(
    app: Flask, folder: Path, design: Path
) -> None:
    run(app, folder)
    product("summer-sun").is_active = False
    db.session.commit()

    run(app, folder)

    assert not product("summer-sun").is_active


def test_pictures_on_a_sheet_are_shown_and_not_sold(app: Flask, folder: Path, design: Path) -> None:
    (folder / "on-a-shirt.png").write_bytes(png("#123456", (2000, 1000)))
    with (folder / "summer-sun.toml").open("a") as sheet:
        sheet.write('pictures = ["on-a-shirt.png", "summer-sun.png"]\n')

    run(app, folder)

    first, second = product("summer-sun").pictures
    assert (first.width, first.height) == (1200, 600)
    assert second.alt == "Summer Sun, picture 2"
    assert db.session.scalars(select(Product.slug)).all() == ["summer-sun"]


def test_formats_of_one_name_are_one_product(app: Flask, folder: Path) -> None:
    (folder / "poster.png").write_bytes(png())
    zipped(folder / "poster.zip")

    run(app, folder)

    (release,) = product("poster").releases
    assert [file.name for file in release.files] == ["poster.png", "poster.zip"]


def test_what_is_refused_stops_nothing_else(app: Flask, folder: Path, design: Path) -> None:
    (folder / "aaa.png").write_bytes(b"just words")
    (folder / "bbb.exe").write_bytes(b"MZ")
    (folder / "nothing.toml").write_text("price = 1\n")
    (folder / "ccc.png").symlink_to(design)
    (folder / ".hidden.png").write_bytes(b"not looked at")

    result = run(app, folder)

    assert result.exit_code == 1
    assert "aaa: aaa.png: this is no PNG, JPEG or WebP picture" in result.stderr
    assert "bbb: bbb.exe: the store sells files of these kinds" in result.stderr
    assert "nothing: no file to sell lies beside nothing.toml" in result.stderr
    assert "ccc: ccc.png: a link is not followed" in result.stderr
    assert "Products: 4 refused, 1 added." in result.output
    assert db.session.scalars(select(Product.slug)).all() == ["summer-sun"]


@pytest.mark.parametrize(
    ("sheet", "why"),
    [
        ("price = 'cheap'", "amount in US dollars"),
        ("price = '1.005'", "amount in US dollars"),
        ("price = 0", "above zero"),
        ("price = -3", "above zero"),
        ("price = nan", "amount in US dollars"),
        ("price = 1e400", "amount in US dollars"),
        ("price = true", 'amount like "12.00"'),
        ("prise = 3", "unknown key: prise"),
        ("name = 5", "name must be text"),
        ('name = "a\\nb"', "one line"),
        (f"name = '{'x' * 121}'", "longer than 120"),
        ("tags = 'red'", "tags must be a list"),
        ("tags = [1]", "tags must be a list"),
        ("position = 1.5", "position must be a whole number"),
        ("pictures = ['../secret.png']", "must lie in the folder"),
        ("pictures = ['/etc/passwd']", "must lie in the folder"),
        ("pictures = ['missing.png']", "No such file"),
        ("pictures = ['sun.toml']", "no PNG, JPEG or WebP"),
        ("price = ", "cannot be read"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_wrong_sheet_is_refused_in_words(app: Flask, folder: Path, sheet: str, why: str) -> None:
    (folder / "sun.png").write_bytes(png())
    (folder / "sun.toml").write_text(sheet, "latin-1")

    result = run(app, folder)

    assert result.exit_code == 1
    assert why in result.stderr
    assert not db.session.scalars(select(Product)).all()


@pytest.mark.parametrize("price", ['"12.10"', "12.10", "12.1", '"$12.10"'])
def test_a_price_is_exact_however_it_is_written(app: Flask, folder: Path, price: str) -> None:
    (folder / "sun.png").write_bytes(png())
    (folder / "sun.toml").write_text(f"price = {price}\n")

    run(app, folder)

    assert product("sun").price_minor == 1210


def test_a_strange_file_name_becomes_a_plain_one(app: Flask, folder: Path) -> None:
    (folder / "gnp.\u202eevil \x07 name.png").write_bytes(png())

    run(app, folder)

    assert db.session.scalars(select(ReleaseFile.name)).one() == "gnp. evil name.png"


def test_two_names_with_one_address_are_not_mixed_up(app: Flask, folder: Path) -> None:
    (folder / "Night Sky.png").write_bytes(png("#000011"))
    (folder / "night-sky.png").write_bytes(png("#000022"))

    result = run(app, folder)

    assert result.exit_code == 1
    assert "has the address of Night Sky: rename one" in result.stderr
    assert product("night-sky").name == "Night Sky"


def test_an_empty_folder_is_no_failure(app: Flask, folder: Path) -> None:
    result = run(app, folder)

    assert result.exit_code == 0
    assert "Products: nothing to import." in result.output


def test_a_missing_folder_is_said(app: Flask, folder: Path) -> None:
    result = run(app, folder / "elsewhere")

    assert result.exit_code == 2
    assert "does not exist" in result.stderr
