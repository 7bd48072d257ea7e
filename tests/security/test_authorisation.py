"""What is somebody's is theirs alone, and nobody learns that it is there (rows Z1 to Z7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Order, OrderStatus, OutgoingEmail, Payment, PaymentStatus, User
from app.services import accounts, links, openings, payments
from tests import buying, factories
from tests.fakes.provider import FakeProvider
from tests.pages import Client
from tests.security.conftest import Bought, sign_in, token_for

Visitor = Callable[[], Client]

EXTRA = {
    "is_admin": "1",
    "email_verified_at": "2020-01-01",
    "id": "1",
    "user_id": "1",
    "price_minor": "1",
    "total_minor": "1",
    "due_minor": "1",
    "required_minor": "0",
    "status": "paid",
    "download_limit": "9999",
    "downloads_used": "-5",
    "expires_at": "2099-01-01",
    "provider": "fake",
    "to": "thief@example.org",
}


def not_found(client: Client) -> bytes:
    """The page that is nowhere, as this visitor sees it."""
    return client.get("/no-such-page").data


def paths(app: Flask, method: str, **values: str) -> Iterator[str]:
    """Every address that takes this method, with these values filled in."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or set()) and rule.arguments <= set(values):
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], rule.rule)


# Z1, Z2


def test_every_wrong_link_looks_like_no_page_at_all(
    app: Flask, client: Client, visitor: Visitor, bought: Bought
) -> None:
    order, download = bought.order_page[8:], bought.download_page[11:]
    started = bought.start(client).removeprefix("/files/")
    stranger = visitor()
    nowhere = not_found(stranger)
    tried = 0
    for token in (
        order[:-1],
        order + "A",
        order.swapcase(),
        order[:-1] + ("A" if order[-1] != "A" else "B"),
        str(bought.order.id),
        bought.order.number,
        bought.order.token_hash,
        bought.order.token_nonce,
        f"{download}%00",
        "%2e%2e",
        "'",
    ):
        for path in paths(app, "GET", token=token, file_id="1", provider_id="fake"):
            if token in path and not path.startswith(("/static", "/products", "/tags")):
                answer = stranger.get(path)
                assert (answer.status_code, answer.data) == (404, nowhere), path
                tried += 1
    for path in (f"/downloads/{order}", f"/orders/{download}", f"/files/{download}"):
        assert stranger.get(path).data == nowhere
    assert stranger.get(f"/orders/{started}").data == nowhere
    assert tried >= 50


def test_an_accounts_order_is_nothing_to_anybody_else(
    app: Flask, client: Client, visitor: Visitor, provider: FakeProvider
) -> None:
    owner, other = factories.user(), factories.user()
    emails = owner.email, other.email
    order = factories.order(user=owner)
    payment = openings.open_payment(order.id, "fake")
    provider.receive(payment.reference, payment.due_minor)
    payments.refresh([payment.id])
    token, download = links.token_of(order), links.token_of(order.entitlements[0])
    sign_in(client, emails[0])
    thief = visitor()
    sign_in(thief, emails[1])
    for path in paths(app, "GET", token=token):
        if "/orders/" in path:
            assert client.get(path).status_code in {200, 204, 303}
            assert thief.get(path).data == not_found(thief)
            assert visitor().get(path).location.startswith("/login?")
    assert client.get(f"/downloads/{download}").status_code == 200
    assert thief.get(f"/downloads/{download}").data == not_found(thief)
    assert visitor().get(f"/downloads/{download}").status_code == 303  # to the sign-in
    begun = client.submit(f"/downloads/{download}", "/files/").location
    assert client.get(begun, buffered=True).status_code == 200
    assert thief.get(begun).data == not_found(thief)
    assert visitor().get(begun).status_code == 303


def test_what_changes_an_order_is_closed_to_strangers_too(
    app: Flask, visitor: Visitor, provider: FakeProvider
) -> None:
    order = factories.order(user=factories.user())
    payment = openings.open_payment(order.id, "fake")
    provider.receive(payment.reference, payment.due_minor, txid="ab" * 32)
    token, other = links.token_of(order), factories.user().email
    thief = visitor()
    sign_in(thief, other)
    csrf = token_for(thief, "/account/orders")
    tried = 0
    for path in paths(app, "POST", token=token, provider_id="fake", file_id="1"):
        if token in path:
            answer = thief.post(path, data={"csrf_token": csrf, "transaction_id": "ab" * 32})
            assert (answer.status_code, answer.data) == (404, not_found(thief)), path
            tried += 1
    assert tried >= 5
    db.session.rollback()
    assert db.session.query(Payment).one().status is PaymentStatus.AWAITING


# Z3, Z5


def every_admin_path(app: Flask, order: Order) -> list[str]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("admin.")]
    values = {"number": order.number, "payment_id": "1"}
    known = [
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "1"), rule.rule)
        for rule in rules
    ]
    spelled = ["/admin", "//admin", "//admin/", "/admin//", "/admin%2f", "/admin/%2e%2e/admin/"]
    spelled += ["/admin/no-such-page", "/ADMIN/", "/admin;x", "/%61dmin/"]
    return known + [f"{path}/" for path in known] + [f"/{path}" for path in known] + spelled


@pytest.mark.parametrize("who", ["visitor", "buyer", "demoted admin"])
def test_for_everybody_but_admins_there_is_no_back_office(
    app: Flask, client: Client, who: str
) -> None:
    order = factories.order()
    if who != "visitor":
        user = factories.user(is_admin=who == "demoted admin")
        sign_in(client, user.email)
        user.is_admin = False
        db.session.commit()
    addresses = every_admin_path(app, order)
    assert len(addresses) > 15
    nowhere = not_found(client)
    for path in addresses:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"):
            written = {"PATH_INFO": unquote(path)}  # the client would take //admin for a host
            answer = client.open("/", method=method, environ_overrides=written)
            assert answer.status_code == 404, f"{method} {path}"
            assert answer.data == (b"" if method == "HEAD" else nowhere), f"{method} {path}"
            assert "Allow" not in answer.headers
            assert "Location" not in answer.headers


# Z4


def extra_fields(client: Client, page: str, action: str, **fields: str):
    """Send the form of this page with what it never asked for."""
    form = next(f for f in client.page(page).forms if f.method == "post" and action in f.action)
    return client.post(form.action or page, data=EXTRA | form.fields | fields)


def test_no_field_but_those_of_the_form_is_taken(
    client: Client, visitor: Visitor, provider: FakeProvider
) -> None:
    extra_fields(client, "/register", "", email="a@example.org", password=factories.PASSWORD)
    user = db.session.query(User).one()
    assert (user.is_admin, user.email_verified_at) == (False, None)
    extra_fields(client, "/login", "", email="a@example.org", password=factories.PASSWORD)
    assert client.get("/admin/").status_code == 404

    guest = visitor()
    product = factories.product(price=1900)
    extra_fields(guest, f"/products/{product.slug}", "/cart/items", quantity="1")
    extra_fields(guest, "/cart", "/cart/items/", quantity="2")
    answer = extra_fields(guest, "/checkout", "/checkout", email="b@example.org")
    order = db.session.query(Order).one()
    assert (order.total_minor, order.status, order.user_id) == (3800, OrderStatus.PENDING, None)
    extra_fields(guest, f"{answer.location}/proof", "", transaction_id=provider.a_txid())
    payment = db.session.query(Payment).one()
    assert payment.due_minor == 3800 * 10**8 // 2500
    assert payment.status is PaymentStatus.AWAITING

    buying.pay(provider, answer.location)
    extra_fields(guest, buying.link(guest, answer.location, "/downloads/"), "/files/")
    db.session.expire_all()
    entitlement = order.entitlements[0]
    assert (entitlement.download_limit, entitlement.downloads_used) == (10, 1)
    assert db.session.scalars(select(OutgoingEmail.to)).all() == ["b@example.org"]


def test_an_admins_form_takes_a_reason_and_nothing_else(
    client: Client, provider: FakeProvider
) -> None:
    order = factories.order()
    payment = openings.open_payment(order.id, "fake")
    payment.move_to(PaymentStatus.CANCELLED, why="a test says so")
    admin = accounts.create_admin("boss@example.org", factories.PASSWORD)
    db.session.commit()
    due = payment.due_minor
    sign_in(client, admin.email)
    extra_fields(client, f"/admin/orders/{order.number}", "/accept", reason="seen by hand")
    db.session.expire_all()
    assert (payment.status, payment.due_minor) == (PaymentStatus.SETTLED, due)
    told = [event for event in order.events if event.who == "boss@example.org"]
    assert [(event.subject, event.now, event.why) for event in told] == [
        ("payment", "settled", "seen by hand")
    ]
