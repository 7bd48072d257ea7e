"""The catalogue's pages."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.blueprints.catalog.kept import kept
from app.blueprints.catalog.linked_data import product_data
from app.extensions import limiter
from app.security import public
from app.services import catalog
from app.static_files import FOLDER, YEAR
from app.storage import FileMissing
from app.wiring import settings, wiring

bp = Blueprint("catalog", __name__)
limiter.exempt(bp)  # nothing here is limited, and asking so takes a tenth of a kept page's time


@bp.get("/")
@public
@kept("q", "page")
def index() -> str:
    words = search_words(request.args.get("q", ""))
    listing = catalog.search(words, page=page_number(request.args))
    return render_template("catalog/index.html", words=words, listing=listing, tags=catalog.tags())


@bp.get("/tags/<slug>")
@public
@kept("page")
def tag(slug: str) -> str:
    name, listing = catalog.tagged(slug, page=page_number(request.args))
    return render_template(
        "catalog/tag.html", slug=slug, name=name, listing=listing, tags=catalog.tags()
    )


@bp.get("/products/<slug>")
@public
@kept()
def product(slug: str) -> str:
    shown = catalog.product(slug)
    return render_template(
        "catalog/product.html", product=shown, data=product_data(shown, settings())
    )


@bp.get("/pictures/<key>.webp")
@public
def picture(key: str) -> ResponseReturnValue:
    if not catalog.has_picture(key):
        abort(404)
    try:
        path = wiring().pictures.path(key)
    except FileMissing:
        abort(404)
    response = send_file(path, mimetype="image/webp", etag=key, max_age=YEAR)
    response.cache_control.immutable = True
    return response


@bp.get("/sitemap.xml")
@public
def sitemap() -> Response:
    page = render_template("catalog/sitemap.xml", products=catalog.addresses(), tags=catalog.tags())
    return _text(page, "application/xml")


@bp.get("/robots.txt")
@public
def robots() -> Response:
    return _text(render_template("catalog/robots.txt"), "text/plain")


@bp.get("/favicon.ico")
@public
def favicon() -> Response:
    return send_file(FOLDER / "img" / "favicon.ico", max_age=24 * 60 * 60)


def search_words(text: str) -> str:
    """What was searched for, as one line of printable characters."""
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(printable.split())[: catalog.LONGEST_SEARCH].strip()


def page_number(arguments: MultiDict[str, str]) -> int:
    """The page asked for; PageNotFound for what is no number of a page."""
    text = arguments.get("page") or "1"
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise catalog.PageNotFound
    return int(text)


def _text(body: str, mimetype: str) -> Response:
    response = make_response(body)
    response.mimetype = mimetype
    response.add_etag()
    response.make_conditional(request)
    return response
