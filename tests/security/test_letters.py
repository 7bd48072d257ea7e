"""Letters go to whom they belong, say nothing they should not, and none stops the others
(rows E1 to E8)."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.mail.send import MailRefused
from app.models import EmailStatus, Order, OutgoingEmail
from app.services import orders, outbox, payments
from app.services.links import entitlement_url, order_url
from tests import buying, factories
from tests.fakes.outgoing import Outgoing, links
from tests.fakes.provider import FakeProvider
from tests.pages import Client

VICTIM = "victim@example.org"
NAMES = [
    "A\r\nBcc: victim@example.org",
    "A\nTo: victim@example.org\n\nand a body",
    "A\x0bBcc: victim@example.org",
    "A\u2028Bcc: victim@example.org",
    "A\x85Bcc: victim@example.org",
    "A\x01B",
    "=?utf-8?q?=0D=0ABcc:_victim=40example.org?=",
    "<script>alert(1)</script><img src=https://evil.example/a.png>",
    "{{ 7 * 143 }} {% include '/etc/passwd' %}",
    "日本語 🌞 " * 20,
]


def deliver() -> None:
    while outbox.deliver_due():
        pass


def free_order(to: str, name: str | None = None) -> Order:
    """An order of nothing to pay, whose letter waits."""
    return factories.order(factories.product(price=0, name=name), email=to)


# E1, E2, E6


def test_one_field_is_one_recipient(client: Client, outgoing: Outgoing) -> None:
    buying.put_in_cart(client, factories.product(price=0))
    for address in (
        f"a@example.org\r\nBcc: {VICTIM}",
        f"a@example.org, {VICTIM}",
        f"a@example.org {VICTIM}",
        f"a@example.org;{VICTIM}",
        f'"a@example.org,{VICTIM}"@example.org',
        f"<{VICTIM}>",
        f"a@example.org%0aBcc:{VICTIM}",
        f"a@example.org\x00{VICTIM}",
    ):
        for page in ("/checkout", "/register"):
            fields = client.page(page).forms[-1].fields | {"email": address}
            answer = client.post(page, data=fields | {"password": factories.PASSWORD})
            assert answer.status_code == 422, address
    deliver()
    assert outgoing.letters == []
    assert db.session.query(Order).count() == 0


def test_no_name_of_a_product_breaks_its_letter(app: Flask, outgoing: Outgoing) -> None:
    for number, name in enumerate(NAMES):
        free_order(f"buyer{number}@example.org", name)
    deliver()
    assert len(outgoing.letters) == len(NAMES)
    for letter in outgoing.letters:
        sent = email.message_from_bytes(letter.as_bytes(), policy=email.policy.default)
        assert sent["Bcc"] is None
        assert VICTIM not in str(sent["To"])
        assert len(letter.recipients) == 1
        assert len(sent.get_all("To", [])) == len(sent.get_all("Subject", [])) == 1
        written = f"{letter.subject} {letter.body} {letter.html}"
        assert "1001" not in written, "a name was taken for a template"


@pytest.mark.parametrize(
    "name", ["Prints, Books & Co.", 'The "Best" Shop', f"A <{VICTIM}>, B", "Mühle", "back\\slash"]
)
def test_whatever_the_store_is_called_letters_come_from_its_address(
    environment: dict[str, str], request: pytest.FixtureRequest, outgoing: Outgoing, name: str
) -> None:
    environment["STORE_NAME"] = name
    request.getfixturevalue("app")
    free_order("buyer@example.org")
    deliver()
    (letter,) = outgoing.letters
    header = email.message_from_bytes(letter.as_bytes())["From"]
    shown, address = parseaddr(header)
    assert address == "store@example.org"
    assert str(make_header(decode_header(shown))) == name


def test_a_letter_carries_nothing_that_runs_or_reports_its_reading(
    app: Flask, outgoing: Outgoing
) -> None:
    for name in NAMES:
        free_order("buyer@example.org", name)
    deliver()
    for letter in outgoing.letters:
        tags = re.findall(r"<\w[^>]*>", letter.html or "")
        assert len(tags) > 5
        for tag in tags:
            assert not re.match(r"<(script|img|iframe|object|link|form)\b", tag, re.IGNORECASE)
            assert not re.search(r"\b(src|background|on\w+)\s*=|url\(", tag, re.IGNORECASE)
        assert letter.body


# A11: where links lead


def test_links_in_letters_come_from_the_settings_whatever_a_visitor_claims(
    client: Client, outgoing: Outgoing
) -> None:
    client.environ_base |= {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "gopher",
        "HTTP_FORWARDED": "host=evil.example",
    }
    product = factories.product(price=0)
    slug = product.slug
    order_page = buying.order(client, product)
    deliver()
    (letter,) = outgoing.letters
    assert links(letter)
    assert all(link.startswith("http://localhost/") for link in links(letter))
    assert all("evil" not in part for part in (letter.body or "", letter.html or ""))
    for page in (order_page, f"{order_page}/receipt", f"/products/{slug}", "/sitemap.xml"):
        text = client.get(page, headers={"Host": "127.0.0.1:6666"}).text
        assert "6666" not in text, page
        assert "evil" not in text, page


def test_a_link_is_the_same_whoever_asks_under_whatever_host(app: Flask) -> None:
    order = free_order("buyer@example.org")
    link = order_url(order)
    assert link.startswith("http://localhost/orders/")
    with app.test_request_context(base_url="http://127.0.0.1:6666/"):
        assert order_url(order) == link
        assert entitlement_url(order.entitlements[0]).startswith("http://localhost/downloads/")


# E5


def test_one_poisoned_letter_among_fifty_stops_no_other(app: Flask, outgoing: Outgoing) -> None:
    for number in range(50):
        free_order(f"buyer{number}@example.org")
    outgoing.refuses["buyer7@example.org"] = MailRefused("554 never", permanent=True)
    broken = db.session.query(OutgoingEmail).filter_by(to="buyer9@example.org").one()
    broken.letter = "no such letter"
    db.session.commit()
    with time_machine.travel(clock.now(), tick=False) as traveller:
        deliver()
        assert len({letter.recipients[0] for letter in outgoing.letters}) == 48
        for _ in range(10):
            traveller.shift(timedelta(minutes=15))
            deliver()
    assert len(outgoing.letters) == 48
    given_up = db.session.query(OutgoingEmail).filter_by(to="buyer7@example.org").one()
    assert (given_up.status, given_up.attempts) == (EmailStatus.GIVEN_UP, 3)


def test_a_server_away_for_an_hour_loses_nothing(app: Flask, outgoing: Outgoing) -> None:
    for number in range(20):
        free_order(f"buyer{number}@example.org")
    outgoing.is_down = True
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(60):
            outbox.deliver_due()
            traveller.shift(timedelta(minutes=1))
        outgoing.is_down = False
        traveller.shift(timedelta(minutes=1))
        deliver()
    assert len({letter.recipients[0] for letter in outgoing.letters}) == 20
    assert len(outgoing.letters) == 20


def test_a_letter_refused_for_now_is_tried_ever_more_slowly(app: Flask, outgoing: Outgoing) -> None:
    free_order("busy@example.org")
    outgoing.refuses["busy@example.org"] = MailRefused("450 later")
    waits = []
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(9):
            outbox.deliver_due()
            row = db.session.query(OutgoingEmail).one()
            assert row.due_at is not None
            waits.append((row.due_at - clock.now()).total_seconds())
            traveller.move_to(row.due_at)
            db.session.rollback()
        outgoing.refuses.clear()
        deliver()
    assert waits[0] < 10
    assert 300 < waits[-1] <= 12 * 60
    assert len(outgoing.letters) == 1


# E8


def test_what_waits_to_be_sent_holds_no_link_and_no_text(
    client: Client, provider: FakeProvider
) -> None:
    page = buying.order(client, factories.product(price=1900))
    buying.pay(provider, page, satoshis=1000)
    found = orders.open_by_token(page.rpartition("/")[2], user=None)
    address = order_url(found)
    payment = found.payments[-1]
    provider.receive(payment.reference, payment.due_minor)
    payments.refresh([payment.id])
    rows = db.session.query(OutgoingEmail).all()
    assert rows
    for row in rows:
        held = str({name: getattr(row, name) for name in row.__table__.columns.keys()})  # noqa: SIM118
        assert "http" not in held
        assert address.rpartition("/")[2] not in held
        assert found.items[0].product_name not in held
