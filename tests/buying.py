"""What a buyer does, in few words."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.models import Product
from app.payments.base import Stage
from app.services import orders, payments
from tests.fakes.provider import FakeProvider
from tests.pages import Client


def put_in_cart(client: Client, product: Product, *, quantity: int = 1) -> None:
    """Press “Add to cart” on the product's page."""
    slug = product.slug
    answer = client.submit(f"/products/{slug}", "/cart/items", quantity=str(quantity))
    assert answer.status_code == 303, answer.text


def check_out(client: Client, *, email: str = "ada@example.org") -> str:
    """Order what is in the cart as a guest; the path of the order's page."""
    answer = client.submit("/checkout", "/checkout", email=email)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.location).path


def order(client: Client, product: Product, *, email: str = "ada@example.org") -> str:
    """Order one product as a guest; the path of the order's page."""
    put_in_cart(client, product)
    return check_out(client, email=email)


def pay(
    provider: FakeProvider,
    order_page: str,
    *,
    satoshis: int | None = None,
    stage: Stage = Stage.SETTLED,
) -> str:
    """Let money arrive for an order and the worker look; the reference of the credit."""
    found = orders.open_by_token(order_page.rpartition("/")[2], user=None)
    payment = found.payments[-1]
    reference = provider.receive(
        payment.reference, payment.due_minor if satoshis is None else satoshis, stage
    )
    payments.refresh([payment.id])
    return reference


def link(client: Client, page: str, beginning: str) -> str:
    """The first link on a page that begins like this."""
    links = client.page(page).links
    found = [link for link in links if link.startswith(beginning)]
    assert found, f"no link to {beginning} at {page}; it has {links}"
    return found[0]
