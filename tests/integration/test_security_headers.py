"""What every answer of the store carries."""

from __future__ import annotations

import json
import logging

import pytest
from flask import request

from app import create_app
from app.logs import JsonLine
from app.static_files import FOLDER, fingerprint
from config import Config
from tests import factories

PUBLIC = ["/", "/?q=x", "/robots.txt", "/sitemap.xml"]
PRIVATE = ["/cart", "/login", "/checkout", "/account", "/no-such-page", "/orders/x", "/downloads/x"]


@pytest.fixture
def secure(environment, provider, outgoing):
    """A visitor of the store as it runs in production."""
    environment["PUBLIC_URL"] = "https://shop.example"
    app = create_app(Config.from_env(environment), providers=[provider], mailer=outgoing)
    with app.app_context():
        yield app.test_client()


@pytest.mark.parametrize("path", PUBLIC + PRIVATE)
def test_every_answer_is_guarded(client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Server" not in headers


@pytest.mark.parametrize("path", PRIVATE)
def test_private_pages_are_neither_kept_nor_found(client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_may_be_kept_and_set_no_cookie(client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Cookie" in headers["Vary"]
    assert headers["ETag"]
    assert "Set-Cookie" not in headers


def test_a_view_nobody_thought_about_is_private(app) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "<html><title>x</title><h1>x</h1></html>")
    assert app.test_client().get("/forgotten").headers["Cache-Control"] == "no-store"


def test_the_views_open_to_caches_are_these(app) -> None:
    marked = {name for name, view in app.view_functions.items() if "satchel_public" in vars(view)}
    assert marked == {
        f"catalog.{name}"
        for name in ("index", "tag", "product", "picture", "sitemap", "robots", "favicon")
    }


def test_over_tls_the_session_cookie_belongs_to_this_host_alone(secure) -> None:
    response = secure.get("/login", base_url="https://shop.example")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert word in cookie.split("; ")
    assert "Domain" not in cookie
    assert response.headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_on_the_developers_machine_the_cookie_needs_no_tls(client) -> None:
    response = client.get("/login")
    assert response.headers["Set-Cookie"].startswith("session=")
    assert "Secure" not in response.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "a b"]
)
def test_a_host_that_is_not_ours_gets_no_page(client, host: str) -> None:
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.text


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"])
def test_without_a_proxy_forwarded_headers_mean_nothing(client, name: str) -> None:
    product = factories.product()
    response = client.get(f"/products/{product.slug}", headers={name: "evil.example"})
    assert response.status_code == 200
    assert "evil.example" not in response.text
    assert "Strict-Transport-Security" not in response.headers


def test_behind_one_proxy_only_the_last_address_counts(environment, provider, outgoing) -> None:
    environment["TRUSTED_PROXIES"] = "1"
    app = create_app(Config.from_env(environment), providers=[provider], mailer=outgoing)
    app.add_url_rule("/who", view_func=lambda: f"{request.remote_addr} {request.scheme}")
    response = app.test_client().get(
        "/who", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.7", "X-Forwarded-Proto": "https"}
    )
    assert response.text == "10.0.0.7 https"


def test_a_body_beyond_the_limit_is_refused(client) -> None:
    response = client.post("/cart/items", data={"product": "x" * 2_000_000})
    assert response.status_code == 413
    assert client.get("/").status_code == 200


def test_a_form_of_very_many_fields_is_refused(client) -> None:
    many = {f"field-{number}": "x" for number in range(300)}
    response = client.post("/cart/items", data=many, content_type="multipart/form-data")
    assert response.status_code == 413


def test_every_answer_names_a_request_that_strangers_cannot_name(client) -> None:
    first = client.get("/", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"]
    second = client.get("/").headers["X-Request-ID"]
    assert len({first, second, "mine"}) == 3


def test_static_files_are_kept_for_a_year_under_the_name_of_their_content(client) -> None:
    address = f"/static/{fingerprint(FOLDER)}/css/theme.css"
    assert address in client.get("/").text
    response = client.get(address, buffered=True)
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers


def lines(caplog: pytest.LogCaptureFixture, app) -> list[dict[str, object]]:
    """What was logged, as it would be written."""
    return [json.loads(JsonLine().format(record)) for record in caplog.records]


def test_a_line_of_the_log_holds_no_secret(app, client, caplog) -> None:
    secret = "s3cr3t-token-of-forty-three-characters-xyz"
    with caplog.at_level(logging.INFO):
        client.get(f"/orders/{secret}?also={secret}")
        client.get(f"/downloads/{secret}")
        client.get(f"/{secret}/more")
        client.get("/?q=somebody%40example.org")
    written = json.dumps(lines(caplog, app))
    assert secret not in written
    assert "somebody" not in written
    assert "/orders/<token>" in written


def test_an_address_in_a_message_is_masked_and_a_line_stays_a_line(app, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        logging.getLogger("app.test").warning("to %s\nforged: line", "jane.doe@example.org")
    text = JsonLine().format(caplog.records[-1])
    assert "\n" not in text
    assert json.loads(text)["message"] == "to j***@example.org\nforged: line"


def test_a_request_is_one_line_with_its_status_and_its_id(app, client, caplog) -> None:
    with caplog.at_level(logging.INFO):
        response = client.get("/", headers={"User-Agent": "a\tb"})
    found = [line for line in lines(caplog, app) if line["message"] == "request"]
    assert len(found) == 1
    assert found[0]["status"] == 200
    assert found[0]["path"] == "/"
    assert response.headers["X-Request-ID"]
