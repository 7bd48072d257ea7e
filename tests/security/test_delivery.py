"""Files reach those who paid, as often as promised, and nobody else (rows D1 to D16)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.http import parse_options_header

from app import clock, tokens
from app.extensions import db
from app.logs import JsonLine
from app.models import Base, LoginSession, ReleaseFile
from app.services import accounts, backoffice, fulfilment, outbox
from app.storage import FileMissing, LocalFiles
from app.wiring import wiring
from tests import buying, factories
from tests.fakes.outgoing import Outgoing, links
from tests.fakes.provider import FakeProvider
from tests.pages import Client
from tests.security.conftest import CONTENT, Bought, sign_in

NAMES = [
    "design.zip",
    "a b.zip",
    'say "hi".zip',
    "semi;colon.zip",
    "comma,comma.zip",
    "back\\slash.zip",
    "per%20cent.zip",
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\evil.exe",
    "line\r\nSet-Cookie: stolen=1.zip",
    "tab\tand\x01nothing.zip",
    "gnp.\u202etxt.exe",
    "\u2066isolated\u2069.zip",
    "ünïcödé.zip",
    "日本語.zip",
    "🌞" * 20 + ".zip",
    "x" * 300 + ".zip",
    "'; filename*=UTF-8''evil.exe",
    "CON",
    ".hidden",
]


def dump() -> str:
    """Everything the database holds, as text."""
    db.session.rollback()
    return "\n".join(
        repr(tuple(row))
        for table in Base.metadata.sorted_tables
        for row in db.session.execute(select(table))
    )


def secrets_in(text: str, *pages: str) -> set[str]:
    """Those tokens of these addresses that stand in a text."""
    return {token for page in pages if (token := page.rpartition("/")[2]) in text}


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


# D1, D2, D3


def test_tokens_are_long_and_all_different() -> None:
    made = {tokens.make("key", "orders", tokens.nonce(), 1) for _ in range(10_000)}
    assert len(made) == 10_000
    assert {len(token) for token in made} == {43}
    assert len({tokens.nonce() for _ in range(10_000)}) == 10_000
    one = ("key", "orders", "nonce", 1)
    others = [("other", *one[1:]), ("key", "files", *one[2:]), ("key", "orders", "nonce", 2)]
    assert tokens.make(*one) not in {tokens.make(*other) for other in others}


def test_a_leaked_database_opens_nothing(
    client: Client, provider: FakeProvider, outgoing: Outgoing
) -> None:
    pages = []
    for number in range(10):
        page = buying.order(client, factories.product(), email=f"buyer{number}@example.org")
        buying.pay(provider, page)
        download = buying.link(client, page, "/downloads/")
        pages += [page, download, client.submit(download, "/files/").location]
    sign_in(client, factories.user().email)
    while outbox.deliver_due():
        pass
    pages += [link for letter in outgoing.letters for link in links(letter)]
    held = dump()
    assert len({page.rpartition("/")[2] for page in pages}) >= 30
    assert db.session.query(LoginSession).count() == 1
    assert secrets_in(held, *pages) == set()
    assert factories.PASSWORD not in held
    with client.session_transaction() as session:
        assert session["_user_id"] not in held


def test_the_log_of_a_whole_purchase_tells_no_secret(
    client: Client,
    provider: FakeProvider,
    outgoing: Outgoing,
    caplog: pytest.LogCaptureFixture,
) -> None:
    email, guest = "jane.o'hara@bücher.example.org", "günther@example.org"
    with caplog.at_level(logging.DEBUG):
        client.submit("/register", "/register", email=email, password=factories.PASSWORD)
        client.submit("/login", "/login", email=email, password="not the right one")
        sign_in(client, email)
        with client.session_transaction() as session:
            sign_in_secret = session["_user_id"]
        client.submit("/account/orders", "/logout")
        page = buying.order(client, factories.product(), email=guest)
        client.get(f"{page}/status?token={page[8:]}", headers={"Referer": f"http://x{page}"})
        client.submit(f"{page}/proof", transaction_id="not one")
        buying.pay(provider, page)
        download = buying.link(client, page, "/downloads/")
        file = client.submit(download, "/files/").location
        client.get(file, buffered=True)
        for wrong in (f"{page}/nothing", f"/{page[8:]}", f"//{download}", f"{file}/"):
            client.get(wrong)
        outgoing.is_down = True
        outbox.deliver_due()
        logging.getLogger("app").error("not delivered to %s, %s", guest, {"to": guest})
    written = [JsonLine().format(record) for record in caplog.records]
    assert len(written) > 20
    assert all(json.loads(line)["message"] for line in written)
    everything = "\n".join(written) + "\n".join(str(json.loads(line)) for line in written)
    assert secrets_in(everything, page, download, file) == set()
    for secret in ("o'hara", "nther", factories.PASSWORD, "not the right one", sign_in_secret):
        assert secret not in everything


def test_an_error_of_the_database_is_logged_without_its_values(
    app: Flask, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError) as error:
        db.session.execute(text("SELECT :secret FROM nowhere"), {"secret": "hidden-value"})
    assert "hidden-value" not in str(error.value)


# D4


def test_scanners_and_previews_count_nothing(client: Client, bought: Bought) -> None:
    form = next(f for f in client.page(bought.download_page).forms if "/files/" in f.action)
    for _ in range(40):
        assert client.get(bought.download_page).status_code == 200
        assert client.head(bought.download_page).status_code == 200
        client.get(bought.download_page, headers={"Range": "bytes=0-10"})
    assert bought.entitlement.downloads_used == 0
    for _ in range(5):
        assert client.get(bought.start(client), buffered=True).data == CONTENT
    sixth = client.post(form.action, data=form.fields)
    assert sixth.status_code == 410
    assert "used" in sixth.text
    assert bought.entitlement.downloads_used == 5


# D7, D8, D9


def test_no_key_leads_out_of_the_storage(app: Flask) -> None:
    a = "a" * 64
    for key in ("", "..", "../../etc/passwd", "/etc/passwd", a[1:], a.upper(), "g" * 64, f"{a}\n",
                f"../{a[3:]}", f"{a}/..", "\x00" * 64):  # fmt: skip
        with pytest.raises(FileMissing):
            wiring().files.path(key)
        with pytest.raises(FileMissing):
            wiring().files.delete(key)


def test_a_link_planted_in_the_storage_is_not_followed(app: Flask, bought: Bought) -> None:
    storage = wiring().files
    assert isinstance(storage, LocalFiles)
    stored = storage.path(hashlib.sha256(CONTENT).hexdigest())
    outside = storage.root.parent / "outside"
    outside.write_bytes(b"root:x:0:0")
    stored.unlink()
    stored.symlink_to(outside)
    with pytest.raises(FileMissing):
        storage.path(stored.name)


def test_whatever_a_file_is_called_it_is_saved_under_a_plain_name(
    client: Client, bought: Bought
) -> None:
    page = bought.start(client)
    for name in NAMES:
        db.session.query(ReleaseFile).one().name = name
        answer = client.get(page, buffered=True)
        assert answer.data == CONTENT
        (header,) = answer.headers.getlist("Content-Disposition")
        assert header.isascii(), name
        assert header.isprintable(), name
        kind, parameters = parse_options_header(header)
        assert kind == "attachment"
        saved_as = unquote(parameters["filename"])
        assert not set(saved_as) & set("\r\n\t\x01\u202e\u2066\u2069"), name
        assert saved_as.endswith(name[-3:])
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.html", "text/html"),
        ("drawing.svg", "image/svg+xml"),
        ("sheet.xml", "application/xml"),
        ("script.js", "text/javascript"),
        ("odd.zip", "text/html; charset=utf-7"),
        ("none.bin", ""),
    ],
)
def test_nothing_that_a_browser_would_run_is_shown_by_it(
    client: Client, bought: Bought, name: str, media_type: str
) -> None:
    file = db.session.query(ReleaseFile).one()
    file.name, file.media_type = name, media_type
    db.session.commit()
    headers = client.get(bought.start(client), buffered=True).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


# D11


def test_a_file_that_is_gone_counts_nothing_and_is_told_of(
    client: Client, bought: Bought, caplog: pytest.LogCaptureFixture
) -> None:
    form = next(f for f in client.page(bought.download_page).forms if "/files/" in f.action)
    file = bought.start(client)
    name = db.session.query(ReleaseFile).one().name
    wiring().files.delete(hashlib.sha256(CONTENT).hexdigest())
    for answer in (client.post(form.action, data=form.fields), client.get(file)):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "No download was counted" in answer.text
    assert bought.entitlement.downloads_used == 1
    assert any(record.levelno == logging.ERROR for record in caplog.records)
    assert name in str(backoffice.attention().findings)
    admin = accounts.create_admin("boss@example.org", factories.PASSWORD)
    db.session.commit()
    sign_in(client, admin.email)
    assert name in client.get("/admin/").text


# D12, D13


def test_a_purchase_in_doubt_is_closed_and_opens_again(client: Client, bought: Bought) -> None:
    file = bought.start(client)
    fulfilment.suspend(bought.order, why="the money is gone")
    db.session.commit()
    assert client.get(bought.download_page).status_code == 403
    assert client.get(file).status_code == 403
    fulfilment.restore(bought.order, why="the money is back")
    db.session.commit()
    assert client.get(file, buffered=True).data == CONTENT


def test_a_link_ends_to_the_second(
    client: Client, bought: Bought, later: time_machine.Traveller
) -> None:
    end = bought.entitlement.expires_at
    later.move_to(end - timedelta(seconds=1))
    form = next(f for f in client.page(bought.download_page).forms if "/files/" in f.action)
    assert client.post(form.action, data=form.fields).status_code == 303
    later.move_to(end)
    assert client.post(form.action, data=form.fields).status_code == 410
    later.move_to(end + timedelta(seconds=1))
    assert client.post(form.action, data=form.fields).status_code == 410
    assert client.get(bought.download_page).status_code == 410
    assert bought.entitlement.downloads_used == 1
