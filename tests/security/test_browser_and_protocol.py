"""What other sites, odd requests and a failing machine can do to the store (rows W1 to W20)."""

from __future__ import annotations

import json
import logging
import random
import re
import sqlite3
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, event, select

from app import create_app, extensions
from app.csrf import csrf
from app.extensions import db
from app.logs import JsonLine
from app.models import Base, Order, Payment, Product
from app.services import accounts, openings
from config import Config
from tests import buying, factories
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider
from tests.pages import Client, Form
from tests.security.conftest import Bought, sign_in, token_for

Visitor = Callable[[], Client]

NASTY = [
    "", " ", "0", "-1", "9" * 20, "9" * 5000, "1e400", "NaN", "１", "'", '"', "' OR '1'='1", "1;--",
    "') UNION SELECT password_hash FROM users --", "%", "_", "\\", "\x00", "a\x00b", "\x1b[31m",
    "\r\nSet-Cookie: stolen=1", "../../etc/passwd", "..%2f..%2f", "{{7*7}}", "${7*7}", "<script>",
    "\ufffd", "\ud7ff", "\U0010ffff", "\u202e", "🌞" * 500, "x" * 10_000, "true", "null", "[]",
]  # fmt: skip
RAW = [b"%ff%fe", b"%c3%28", b"%00", b"%ed%a0%80", b"%", b"%zz", b"=&=&;", b"a[]=1&a[]=2&a=3"]


def contents() -> dict[str, list[tuple[object, ...]]]:
    """Every row of the database."""
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(select(table))]
        for table in Base.metadata.sorted_tables
    }


# W1


def test_no_view_takes_a_form_without_a_token(app: Flask) -> None:
    assert not csrf._exempt_views
    assert not csrf._exempt_blueprints


def forms_of(client: Client, *pages: str) -> Iterator[tuple[str, Form]]:
    for page in pages:
        for form in client.page(page).forms:
            if form.method == "post":
                yield form.action or page, form


def test_every_form_of_everybody_is_worth_nothing_without_its_token(
    client: Client, visitor: Visitor, provider: FakeProvider, bought: Bought
) -> None:
    product, order = factories.product(), factories.order()
    payment = openings.open_payment(order.id, "fake")
    payment.move_to(payment.status.__class__.CANCELLED, why="a test says so")
    admin = accounts.create_admin("boss@example.org", factories.PASSWORD)
    db.session.commit()
    slug, number, email = product.slug, order.number, admin.email
    guest, boss, buyer = visitor(), visitor(), factories.user().email
    buying.put_in_cart(client, product)
    unpaid = buying.order(guest, product)
    buying.put_in_cart(guest, product)
    sign_in(boss, email)
    sign_in(client, buyer)
    everywhere = {
        guest: [f"/products/{slug}", "/cart", "/checkout", "/login", "/register", unpaid,
                f"{unpaid}/proof", bought.download_page],
        client: ["/cart", "/checkout", "/account/orders"],
        boss: ["/admin/", f"/admin/orders/{number}"],
    }  # fmt: skip
    tried = set()
    for who, pages in everywhere.items():
        forms = list(forms_of(who, *pages))
        before = contents()
        for action, form in forms:
            for token in (None, "", "wrong", form.fields["csrf_token"][:-2] + "xx"):
                fields = form.fields | {"quantity": "1", "email": "a@example.org", "reason": "yes"}
                fields.pop("csrf_token")
                sent = fields if token is None else fields | {"csrf_token": token}
                assert who.post(action, data=sent).status_code == 400, action
            with_header = who.post(action, data=fields, headers={"X-CSRFToken": "wrong"})
            assert with_header.status_code == 400
            tried.add(re.sub(r"[\w-]{43}|\d+", "…", action))
        assert contents() == before
    assert len(tried) >= 9, tried


# W2


def test_whoever_is_signed_in_already_is_led_nowhere_else_either(client: Client) -> None:
    sign_in(client, factories.user().email)
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example",
                   "http:/evil.example", "/ /evil", "//evil.example@localhost", "//[evil",
                   "%2f%2fevil.example", "/\r\nLocation: //evil.example"):  # fmt: skip
        answer = client.get("/login", query_string={"next": wanted})
        assert (answer.status_code, answer.location) == (303, "/account/orders"), wanted


# W5


def test_after_signing_out_nothing_private_can_be_gone_back_to(client: Client) -> None:
    sign_in(client, factories.user().email)
    page = client.get("/account/orders")
    assert page.headers["Cache-Control"] == "no-store"
    shop = client.get("/")
    assert shop.headers["Cache-Control"].startswith("private")
    assert "Cookie" in shop.headers["Vary"]
    client.submit("/account/orders", "/logout")
    assert client.get("/account/orders").status_code == 302
    assert "Sign out" not in client.get("/").text


def test_a_visitors_page_holds_nothing_of_the_one_before(client: Client, visitor: Visitor) -> None:
    email = factories.user().email
    slug = factories.product().slug
    buying.put_in_cart(client, factories.product())
    sign_in(client, email)
    for path in ("/", f"/products/{slug}", "/?q=product"):
        assert client.get(path).status_code == 200
        stranger = visitor().get(path)
        assert email not in stranger.text
        assert "Sign out" not in stranger.text
        assert "Set-Cookie" not in stranger.headers
        assert stranger.headers["Cache-Control"].startswith("public")


# W8, W16


def test_no_address_and_no_query_breaks_the_store(
    app: Flask, client: Client, bought: Bought
) -> None:
    sign_in(client, accounts_admin())
    for rule in app.url_map.iter_rules():
        method = "GET" if "GET" in (rule.methods or set()) else "POST"
        for value in NASTY if rule.arguments else []:
            path = re.sub(r"<(?:\w+:)?\w+>", quote(value, safe=""), rule.rule)
            answer = client.open(path, method=method, buffered=True)
            assert answer.status_code < 500, path
    names = ("q", "page", "tag", "sort", "next", "seen", "v", "token")
    for page in ("/", "/login", "/register", "/admin/", f"{bought.order_page}/status", "/cart"):
        for value in NASTY:
            answer = client.get(page, query_string=dict.fromkeys(names, value))
            assert answer.status_code < 500, (page, value)
        for raw in RAW:
            query = "&".join(f"{name}={raw.decode()}" for name in names)
            answer = client.get("/", environ_overrides={"PATH_INFO": page, "QUERY_STRING": query})
            assert answer.status_code < 500, (page, raw)


def accounts_admin() -> str:
    email = accounts.create_admin("boss@example.org", factories.PASSWORD).email
    db.session.commit()
    return email


def test_no_field_of_any_form_breaks_the_store(client: Client, bought: Bought) -> None:
    chance = random.Random(9)
    extensions.limiter.enabled = False
    try:
        slug = factories.product().slug
        unpaid = buying.order(client, factories.product())
        buying.put_in_cart(client, factories.product())
        pages = [f"/products/{slug}", "/cart", "/checkout", "/login", "/register", unpaid,
                 f"{unpaid}/proof", bought.download_page]  # fmt: skip
        forms = list(forms_of(client, *pages))
        for action, form in forms:
            for name in [*form.fields, "password", "email", "quantity"]:
                for value in ["\x00", *chance.sample(NASTY, 6)]:
                    answer = client.post(action, data=form.fields | {name: value})
                    assert answer.status_code < 500, (action, name, value)
    finally:
        extensions.limiter.enabled = True


def test_random_requests_never_break_the_store(app: Flask, client: Client) -> None:
    chance = random.Random(20_240_711)
    slug = factories.product().slug
    starts = [
        "/",
        f"/products/{slug}",
        "/orders/",
        "/downloads/",
        "/files/",
        "/cart/items/",
        "/tags/",
    ]
    letters = string.printable + "\x00\x7f\xffé日🌞"
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "ODD"]
    for _ in range(300):
        noise = "".join(chance.choices(letters, k=chance.randrange(60)))
        body = bytes(chance.choices(range(256), k=chance.randrange(200)))
        answer = client.open(
            chance.choice(starts) + quote(noise),
            method=chance.choice(methods),
            data=body,
            content_type=chance.choice(
                ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "multipart/form-data", "application/json", "text/xml", "\x01", ""]
            ),
            headers={
                "Cookie": f"session={quote(noise)}; session=a.b.c",
                "Range": noise.encode("ascii", "ignore").decode().translate({10: "", 13: ""}),
                "If-None-Match": '"' + "x" * chance.randrange(50),
                "Accept": chance.choice(["*/*", "application/json", "garbage;q=x", ""]),
            },
            buffered=True,
        )  # fmt: skip
        assert answer.status_code < 500, noise


def test_a_quote_in_a_search_is_a_letter_like_any_other(client: Client) -> None:
    factories.product(name="Plain")
    for words in ("' OR '1'='1", "%' --", "x') OR 1=1 --", 'name:"Plain"'):
        answer = client.get("/", query_string={"q": words})
        assert answer.status_code == 200
        assert "/products/" not in answer.text


def test_a_name_full_of_markup_stays_a_name(client: Client) -> None:
    evil = '</title></script><script>alert(1)</script><img src=x onerror="alert(1)">'
    product = factories.product(name=evil, tags=())
    product.summary = product.description = evil
    product.releases[0].files[0].name = f"{evil}.zip"
    db.session.commit()
    slug = product.slug
    buying.put_in_cart(client, product)
    pages = [f"/products/{slug}", "/", f"/?q={quote(evil)}", "/cart", "/checkout"]
    pages.append(buying.check_out(client))
    for page in pages:
        text = client.get(page).text
        assert "<script>alert" not in text, page
        assert "<img src=x" not in text, page
        for data in re.findall(
            r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL
        ):
            assert json.loads(data)["name"] == evil


# W9


def test_a_body_of_thirty_megabytes_is_refused_at_once(client: Client) -> None:
    began = time.process_time()
    for path in ("/cart/items", "/login", "/checkout", "/no-such-page"):
        answer = client.post(path, data=b"x" * 30_000_000, content_type="text/plain")
        assert answer.status_code in {400, 404, 413}
        answer = client.post(path, data={"email": "x" * 30_000_000})
        assert answer.status_code in {404, 413}
    assert time.process_time() - began < 5
    assert client.get("/").status_code == 200


def test_ten_thousand_fields_cost_little(client: Client) -> None:
    began = time.process_time()
    many = {f"field{number}": "x" for number in range(10_000)}
    token = token_for(client, "/login")
    assert client.post("/login", data=many | {"csrf_token": token}).status_code == 422
    assert client.post("/login", data=many).status_code == 400
    assert time.process_time() - began < 5


# W12


def test_a_new_key_leaves_sessions_and_links_alive(
    environment: dict[str, str],
    request: pytest.FixtureRequest,
    provider: FakeProvider,
    outgoing: Outgoing,
) -> None:
    old = environment["SECRET_KEY"] = "an old key of thirty-two letters or more"
    client, bought = request.getfixturevalue("client"), request.getfixturevalue("bought")
    sign_in(client, factories.user().email)
    cookie = client.get_cookie("session").value
    environment["SECRET_KEY"] = "a new key of thirty-two letters or more"
    assert stay_signed_in(environment, cookie, provider, outgoing, bought)[0] == 302
    environment["SECRET_KEY_FALLBACKS"] = f"one that nobody uses, {old}"
    assert stay_signed_in(environment, cookie, provider, outgoing, bought) == (200, 200, 200)


def stay_signed_in(
    environment: dict[str, str],
    cookie: str,
    provider: FakeProvider,
    outgoing: Outgoing,
    bought: Bought,
) -> tuple[int, int, int]:
    """How a store under other keys answers an old session and old links."""
    app = create_app(Config.from_env(environment), providers=[provider], mailer=outgoing)
    client = app.test_client()
    client.set_cookie("session", cookie)
    with app.app_context():
        shelf, order, download = (
            client.get(page).status_code
            for page in ("/account/orders", bought.order_page, bought.download_page)
        )
        db.session.remove()
        db.engine.dispose()
    return shelf, order, download


# W14


def test_nobody_writes_lines_of_their_own_into_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    forged = '{"level": "ERROR", "message": "forged"}'
    with caplog.at_level(logging.INFO):
        client.get(f"/%0d%0a{quote(forged)}")
        client.get("/", query_string={"q": f"x\r\n{forged}"})
        client.get("/", environ_overrides={"HTTP_USER_AGENT": f"x\r\n{forged}\x1b[2J\u2028"})
    for record in caplog.records:
        line = JsonLine().format(record)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["message"] != "forged"


# W17


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/.env", "/.env.example", "/console", "/server-status", "/wp-login.php",
     "/instance/satchel.db", "/static/../config.py", "/static/%2e%2e/%2e%2e/config.py",
     "/static/x/../../../wsgi.py", "/backup.zip", "/debug", "/?__debugger__=yes&cmd=resource&f=x"],
)  # fmt: skip
def test_nothing_of_the_inside_lies_about(client: Client, path: str) -> None:
    answer = client.get(path, buffered=True)
    assert answer.status_code in {200, 404}
    assert answer.status_code == 404 or path.startswith("/?")
    for word in ("SECRET_KEY", "Traceback", "repositoryformatversion", "Werkzeug", "def "):
        assert word not in answer.text
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


# W18, W19


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a busy database half a second instead of five."""
    monkeypatch.setattr(extensions, "BUSY_SECONDS", 0.5)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else holds what an order must be written to."""
    engine = create_engine(url, poolclass=NullPool)
    on_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as other:
        lock = "BEGIN IMMEDIATE" if on_sqlite else "LOCK TABLE orders IN EXCLUSIVE MODE"
        other.exec_driver_sql(lock)
        yield
        other.rollback()


def test_while_the_database_is_locked_pages_are_read_and_orders_asked_to_wait(
    hurried: None, app: Flask, client: Client, bought: Bought
) -> None:
    slug = factories.product().slug
    buying.put_in_cart(client, factories.product())
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    db.session.remove()
    db.engine.dispose()
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        answer = client.post("/checkout", data=fields)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        waited: list[float] = []
        for page in ("/", f"/products/{slug}", "/cart", "/checkout", bought.order_page,
                     f"{bought.order_page}/status", bought.download_page, "/login"):  # fmt: skip
            began = time.perf_counter()
            assert client.get(page).status_code in {200, 204}
            waited.append(time.perf_counter() - began)
        assert median(waited) < 0.5
    assert client.post("/checkout", data=fields).status_code == 303
    assert db.session.query(Order).count() == 2


@pytest.mark.sqlite
def test_on_a_full_disk_pages_are_read_and_orders_asked_to_wait(
    app: Flask, client: Client, bought: Bought
) -> None:
    buying.put_in_cart(client, factories.product())
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@" + "x" * 50 + ".org"}
    db.session.remove()

    def is_full(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # as many as it has: not one more

    event.listen(db.engine, "checkout", is_full)
    try:
        statuses = []
        for number in range(60):  # until the pages it has are full
            order = fields | {"key": f"key {number}"}
            statuses.append(client.post("/checkout", data=order))
            if statuses[-1].status_code != 303:
                break
            buying.put_in_cart(client, db.session.query(Product).first())
    finally:
        event.remove(db.engine, "checkout", is_full)
        db.session.remove()
        db.engine.dispose()
    refused = statuses[-1]
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    for page in ("/", "/cart", bought.order_page, bought.download_page):
        assert client.get(page).status_code == 200
    torn = db.session.query(Order).filter(~Order.items.any()).count()
    assert torn == 0
    assert db.session.query(Payment).count() <= db.session.query(Order).count()
    assert client.post("/checkout", data=fields | {"key": "with room again"}).status_code == 303
