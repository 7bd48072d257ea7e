"""Every error is a page with its status and a next step."""

from __future__ import annotations

import pytest
from flask import abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app import errors
from app.services import links
from config import Config
from tests import factories


def fail(app, error: Exception | int, **headers: str) -> TestResponse:
    """What a visitor gets when a view runs into this."""

    def view() -> str:
        if isinstance(error, int):
            abort(error)
        raise error

    app.add_url_rule("/failing", endpoint="failing", view_func=view)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client(use_cookies=False).get("/failing", headers=headers)


@pytest.fixture
def plain(app):
    """The app with a client that lets a 500 be seen."""
    app.test_client_class = FlaskClient
    return app


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422, 429, 503])
def test_a_status_has_its_page(plain, status: int) -> None:
    response = fail(plain, status)
    assert response.status_code == status
    assert response.text.count("<h1") == 1
    assert "To the catalogue" in response.text
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("status", [429, 503])
def test_whoever_must_wait_is_told_how_long(plain, status: int) -> None:
    assert int(fail(plain, status).headers["Retry-After"]) > 0


def test_a_fault_of_ours_shows_an_id_and_nothing_of_its_inside(plain) -> None:
    response = fail(plain, RuntimeError("the inside of the store"))
    assert response.status_code == 500
    assert "the inside of the store" not in response.text
    assert "Traceback" not in response.text
    assert response.headers["X-Request-ID"] in response.text


def test_a_locked_or_lost_database_asks_for_another_try(plain) -> None:
    error = OperationalError("SELECT 1", {}, Exception("database is locked"))
    response = fail(plain, error)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "database is locked" not in response.text


def test_a_program_that_reads_json_gets_json(plain) -> None:
    response = fail(plain, 404, Accept="application/json")
    assert response.json == {
        "status": 404,
        "error": "This page is not here",
        "detail": "The address may be mistyped, or what it led to is gone.",
    }


def test_curl_gets_a_page(plain) -> None:
    assert fail(plain, 404, Accept="*/*").mimetype == "text/html"


def test_every_way_of_not_finding_looks_the_same(client) -> None:
    paths = [
        "/nothing",
        "/products/none",
        "/tags/none",
        "/?page=99",
        "/orders/none",
        "/downloads/none",
    ]
    pages = {(client.get(path).status_code, client.get(path).data) for path in paths}
    assert len(pages) == 1
    assert next(iter(pages))[0] == 404


def test_a_wrong_method_names_the_right_ones(client) -> None:
    response = client.post("/robots.txt")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_every_error_of_the_table_has_words(app) -> None:
    for error, answer in errors.STORE_ERRORS.items():
        assert answer.title, error
        assert 400 <= answer.status < 600, error


def test_a_store_that_lost_its_key_says_so_and_keeps_old_links_open(
    app, client, environment, provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factories.order(factories.product(price=0))
    page, download = links.order_url(order), links.entitlement_url(order.entitlements[0])
    monkeypatch.setattr(
        links, "settings", lambda: Config.from_env({**environment, "SECRET_KEY": "?"})
    )

    assert client.get(page).status_code == 503
    assert client.get(download).status_code == 200
