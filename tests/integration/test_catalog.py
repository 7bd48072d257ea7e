"""What visitors see of the products."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest
from PIL import Image
from sqlalchemy import event

from app.extensions import db
from app.models import Picture, Product, Release, ReleaseFile
from app.services import catalog, catalog_version, pictures
from app.wiring import wiring
from tests import factories


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def with_picture(product: Product) -> Picture:
    stored = pictures.store(Image.new("RGB", (600, 400), "teal"))
    picture = Picture(
        key=stored.key,
        thumbnail_key=stored.thumbnail_key,
        width=stored.width,
        height=stored.height,
        alt="A teal shirt",
    )
    product.pictures.append(picture)
    db.session.commit()
    return picture


def test_the_catalogue_shows_what_is_for_sale_and_nothing_else(client) -> None:
    factories.product(name="Sunrise", price=1900)
    factories.product(name="Hidden", is_active=False)
    html = client.get("/").text
    assert "Sunrise" in html
    assert "$19.00" in html
    assert "Hidden" not in html


def test_an_empty_store_says_so(client) -> None:
    assert "nothing for sale yet" in client.get("/").text


def test_a_long_catalogue_comes_in_pages_without_gaps(client) -> None:
    made = [factories.product().slug for _ in range(catalog.PER_PAGE + 3)]
    first, second = client.page("/").links, client.page("/?page=2").links
    shown = [
        link.removeprefix("/products/") for link in first + second if link.startswith("/products/")
    ]
    assert shown == made
    assert "/?page=2" in first


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "1000000000", "2", "1.5", "１", "%00"])
def test_a_page_that_is_not_there_is_not_found(client, page: str) -> None:
    factories.product()
    assert client.get(f"/?page={page}").status_code == 404


def test_a_search_finds_every_word_in_any_of_the_texts(client) -> None:
    factories.product(name="Blue whale", tags=("ocean",))
    factories.product(name="Blue sky")
    html = client.get("/?q=BLUE+ocean").text
    assert "1 result for" in html
    assert "Blue whale" in html
    assert "Blue sky" not in html


def test_a_search_without_result_is_a_page_with_a_next_step(client) -> None:
    response = client.get("/?q=zebra")
    assert response.status_code == 200
    assert "Nothing found for “zebra”" in response.text
    assert "Show everything" in response.text


@pytest.mark.parametrize(
    "words", ["%", "_", "\\", "'", '"><b>', "a" * 5000, "%00", "%F0%9F%98%80", "%ff", "a " * 500]
)
def test_odd_words_are_searched_for_as_they_are(client, words: str) -> None:
    factories.product(name="Plain")
    assert client.get(f"/?q={words}").status_code == 200
    assert client.get("/", query_string={"q": words}).status_code == 200


def test_the_wildcards_of_the_database_are_plain_characters_in_a_search(client) -> None:
    factories.product(name="Plain")
    assert "Nothing found" in client.get("/?q=%25").text
    assert "Nothing found" in client.get("/?q=_").text


def test_a_search_keeps_its_words_from_page_to_page(client) -> None:
    for _ in range(catalog.PER_PAGE + 1):
        factories.product(name="Red & blue")
    assert "/?q=red%20%26&page=2" in client.page("/?q=red+%26").links


def test_a_tag_leads_to_its_products(client) -> None:
    factories.product(name="Whale", tags=("ocean",))
    factories.product(name="Desert")
    html = client.get("/tags/ocean").text
    assert "Whale" in html
    assert "Desert" not in html


def test_a_tag_of_nothing_on_sale_is_not_found(client) -> None:
    factories.product(tags=("ocean",), is_active=False)
    assert client.get("/tags/ocean").status_code == 404


def test_a_product_page_says_what_files_come_with_it(client) -> None:
    product = factories.product(name="Sunrise", file_name="sunrise.zip")
    html = client.get(f"/products/{product.slug}").text
    assert "sunrise.zip" in html
    assert "3 files inside" in html
    assert "<strong>Bold</strong>" in html


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"width": 4500, "height": 5400}, "4500 × 5400 pixels"),
        ({"pages": 48}, "48 pages"),
        ({"pages": 1}, "1 page"),
        ({"entries": 1}, "1 file inside"),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_extent_of_a_file_is_told_in_its_own_measure(facts, words) -> None:
    assert catalog.extent(facts) == words


def test_only_the_newest_release_is_shown(client) -> None:
    product = factories.product(file_name="old.zip")
    old = product.releases[0].files[0]
    product.releases.append(
        Release(
            version="2.0",
            released_at=product.updated_at,
            files=[
                ReleaseFile(
                    name="new.zip",
                    sha256=old.sha256,
                    size=old.size,
                    media_type=old.media_type,
                    facts={},
                )
            ],
        )
    )
    db.session.commit()
    html = client.get(f"/products/{product.slug}").text
    assert "new.zip" in html
    assert "old.zip" not in html


@pytest.mark.parametrize("slug", ["none", "%00", "..%2f..%2fetc", "x" * 3000, "ü"])
def test_an_unknown_product_is_not_found(client, slug: str) -> None:
    assert client.get(f"/products/{slug}").status_code == 404


def test_a_product_taken_off_sale_looks_as_if_it_had_never_been(client) -> None:
    product = factories.product(is_active=False)
    gone, never = client.get(f"/products/{product.slug}"), client.get("/products/never")
    assert (gone.status_code, gone.data) == (never.status_code, never.data) == (404, never.data)


def test_a_search_engine_reads_the_price_and_the_address(client) -> None:
    product = factories.product(name="</script><b>", price=1900)
    html = client.get(f"/products/{product.slug}").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert data["name"] == "</script><b>"
    assert data["offers"]["price"] == "19.00"
    assert data["url"] == f"http://localhost/products/{product.slug}"
    assert f'<link rel="canonical" href="{data["url"]}">' in html


def test_the_site_map_lists_what_is_for_sale(client) -> None:
    product = factories.product(tags=("ocean",))
    hidden = factories.product(is_active=False)
    response = client.get("/sitemap.xml")
    places = [
        place.text or ""
        for place in ElementTree.fromstring(response.data).iter(
            "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
        )
    ]
    assert f"http://localhost/products/{product.slug}" in places
    assert "http://localhost/tags/ocean" in places
    assert not [place for place in places if place.endswith(hidden.slug)]
    assert "Sitemap: http://localhost/sitemap.xml" in client.get("/robots.txt").text


def test_a_picture_may_be_kept_for_ever_and_brings_no_cookie(client) -> None:
    picture = with_picture(factories.product())
    for key in (picture.key, picture.thumbnail_key):
        response = client.get(f"/pictures/{key}.webp", buffered=True)
        assert response.mimetype == "image/webp"
        assert Image.open(io.BytesIO(response.data)).format == "WEBP"
        assert "immutable" in response.headers["Cache-Control"]
        assert "Set-Cookie" not in response.headers


def test_a_file_on_sale_cannot_be_had_as_a_picture(client) -> None:
    product = factories.product()
    key = product.releases[0].files[0].sha256
    for attempt in (key, "0" * 64, "..%2f..%2fetc%2fpasswd", "%00"):
        assert client.get(f"/pictures/{attempt}.webp").status_code == 404


def test_a_picture_missing_from_the_disk_is_not_found(client) -> None:
    picture = with_picture(factories.product())
    wiring().pictures.delete(picture.key)
    assert client.get(f"/pictures/{picture.key}.webp").status_code == 404


def test_a_visitor_gets_a_kept_page_until_the_catalogue_changes(client) -> None:
    product = factories.product(name="Before")
    first = client.get("/")
    with queries() as sent:
        again = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert len(sent) == 1
    product = db.session.merge(product)
    product.name = "After"
    db.session.commit()
    changed = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert "After" in changed.text


def test_kept_pages_of_different_queries_are_different(client) -> None:
    factories.product(name="Whale")
    factories.product(name="Desert")
    assert "Desert" not in client.get("/?q=whale").text
    assert "Desert" in client.get("/").text
    assert "Whale" not in client.get("/?q=desert").text


def test_a_visitor_with_a_cart_sees_it_counted_and_leaves_no_page_for_others(client, app) -> None:
    product = factories.product()
    client.submit(f"/products/{product.slug}", "/cart/items", quantity="3")
    response = client.get("/")
    assert '<span class="cart-badge">3' in response.text
    assert response.headers["Cache-Control"].startswith("private")
    assert "cart-badge" not in app.test_client().get("/").text


def test_every_change_of_what_is_shown_raises_the_version_once(app) -> None:
    product = factories.product(tags=("ocean",))
    seen = [catalog_version.current()]

    def change(act) -> None:
        act()
        db.session.commit()
        seen.append(catalog_version.current())

    change(lambda: setattr(product, "name", "Other"))
    change(lambda: setattr(product, "price_minor", 1))
    change(lambda: with_picture(product))
    change(lambda: setattr(product.pictures[0], "alt", "Other"))
    change(lambda: setattr(product.tags[0], "name", "Sea"))
    change(product.tags.clear)
    change(lambda: setattr(product.releases[0].files[0], "name", "other.zip"))
    change(lambda: setattr(product, "is_active", False))
    change(lambda: db.session.delete(product.pictures[0]))
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_a_change_that_is_taken_back_raises_nothing(app) -> None:
    product = factories.product()
    before = catalog_version.current()
    product.name = "Other"
    db.session.flush()
    db.session.rollback()
    assert catalog_version.current() == before
    product.name = "Another"
    db.session.commit()
    assert catalog_version.current() == before + 1


def test_an_order_leaves_the_kept_pages_alone(app) -> None:
    product = factories.product()
    before = catalog_version.current()
    factories.order(product)
    assert catalog_version.current() == before


@pytest.mark.parametrize("products", [1, 20])
def test_the_catalogue_asks_the_same_few_questions_however_long_it_is(client, products) -> None:
    for _ in range(products):
        with_picture(factories.product(tags=("ocean", "blue")))
    with queries() as sent:
        client.get("/")
    assert len(sent) == 4, sent  # version, how many, the products, the tags


@pytest.mark.parametrize("many", [1, 5])
def test_a_product_page_asks_the_same_few_questions_however_much_it_shows(client, many) -> None:
    product = factories.product(tags=tuple(f"tag-{number}" for number in range(many)))
    for _ in range(many):
        with_picture(product)
    slug = product.slug
    db.session.commit()
    with queries() as sent:
        client.get(f"/products/{slug}")
    assert len(sent) == 5, sent  # version, product, files, pictures, tags
