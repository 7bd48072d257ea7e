"""One deed of the store in a process of its own, to be killed at a checkpoint.

`python -m tests.crash.actor DEED ARGUMENT`, with the settings and SATCHEL_KILL_AT in the
environment.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

from app import create_app
from app.checkpoints import checkpoint
from app.extensions import db
from app.models import Payment
from app.services import orders, outbox, payments
from app.services.carts import Cart, fill
from app.wiring import wiring
from config import Config
from tests.fakes.provider import FakeProvider

provider = FakeProvider()


def place(product_id: str) -> None:
    """Place an order; the answer to the buyer comes after the checkpoint."""
    cart = fill(Cart({int(product_id): 1}))
    orders.place(
        cart, email="buyer@example.org", user=None, key="pressed once", shown_total=cart.total
    )
    db.session.commit()
    checkpoint("order-committed")


def settle(payment_id: str) -> None:
    """Learn that a payment has been paid in full."""
    payment = db.session.get_one(Payment, int(payment_id))
    provider.receive(payment.reference, payment.due_minor, txid=f"{payment.id:064x}")
    db.session.rollback()
    payments.refresh([int(payment_id)])


def mail(_argument: str) -> None:
    """Send what is due."""
    outbox.deliver_due()


def upload(text: str) -> None:
    """Keep a file."""
    wiring().files.put(io.BytesIO(text.encode()), limit=1_000_000)


DEEDS: dict[str, Callable[[str], None]] = {
    "place": place,
    "settle": settle,
    "mail": mail,
    "upload": upload,
}

if __name__ == "__main__":
    app = create_app(Config.from_env(), providers=[provider])
    with app.app_context():
        DEEDS[sys.argv[1]](sys.argv[2])
