"""Killed at every line that matters: nothing is lost, nothing is done twice.

CRASH_ROUNDS says how often each point is tried (3 by default).
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from flask import Flask

from app import clock, create_app
from app.extensions import db
from app.models import Entitlement, Order, OrderStatus, OutgoingEmail, Payment, PaymentStatus
from app.services import invariants, openings, orders, outbox
from app.services.carts import Cart, fill
from app.services.links import token_of
from app.wiring import wiring
from config import Config
from tests import factories
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
ROUNDS = range(int(os.environ.get("CRASH_ROUNDS", "3")))


class Deeds:
    """Starts deeds of the store in processes of their own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def do(self, deed: str, argument: object = "", *, kill_at: str = "") -> None:
        db.session.commit()  # what this process has read holds no lock
        done = subprocess.run(
            [sys.executable, "-m", "tests.crash.actor", deed, str(argument)],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                "SATCHEL_KILL_AT": kill_at,
                **self._environment,
            },
            timeout=60,
            capture_output=True,
            check=False,
        )
        expected = -signal.SIGKILL if kill_at else 0
        assert done.returncode == expected, done.stderr.decode()


class Mailbox:
    """A real SMTP server that keeps what it accepts."""

    def __init__(self) -> None:
        self.letters: dict[str, list[Message]] = defaultdict(list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name for it
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.letters[envelope.rcpt_tos[0]].append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = Mailbox()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, port
    controller.stop()


@pytest.fixture
def environment(environment: dict[str, str], mailbox: tuple[Mailbox, int]) -> dict[str, str]:
    return {**environment, "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(mailbox[1])}


@pytest.fixture
def deeds(app: Flask, environment: dict[str, str]) -> Deeds:
    return Deeds(environment)


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize(
    ("point", "is_settled"),
    [
        ("payment-stored", False),
        ("status-changed", False),
        ("entitlement-written:1", False),
        ("entitlement-written:2", False),
        ("mail-queued", False),
        ("before-commit", False),
        ("after-commit", True),
    ],
)
def test_a_settlement_happens_whole_or_not_at_all(
    deeds: Deeds, point: str, is_settled: bool, _round: int
) -> None:
    order = factories.order(factories.product(), factories.product())
    payment = openings.open_payment(order.id, "fake")
    payment_id, link = payment.id, token_of(order)
    db.session.commit()

    deeds.do("settle", payment_id, kill_at=point)

    db.session.expire_all()
    assert payment.status is (PaymentStatus.SETTLED if is_settled else PaymentStatus.AWAITING)
    assert order.is_paid is is_settled
    assert db.session.query(Entitlement).count() == (2 if is_settled else 0)
    assert db.session.query(OutgoingEmail).count() == (1 if is_settled else 0)
    assert invariants.findings() == []
    db.session.commit()

    deeds.do("settle", payment_id)

    db.session.expire_all()
    assert payment.status is PaymentStatus.SETTLED
    assert db.session.query(Entitlement).count() == 2
    assert db.session.query(OutgoingEmail).count() == 1
    assert orders.open_by_token(link, user=None).id == order.id
    assert invariants.findings() == []


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize(
    ("point", "may_repeat"),
    [
        ("mail-claimed", False),
        ("mail-accepted", True),
        ("mail-accepted:2", True),
        ("mail-committed", False),
    ],
)
def test_letters_are_never_lost_and_repeat_only_after_the_servers_word(
    deeds: Deeds,
    mailbox: tuple[Mailbox, int],
    environment: dict[str, str],
    point: str,
    may_repeat: bool,
    _round: int,
) -> None:
    people = [f"buyer{number}@example.org" for number in range(3)]
    for person in people:
        factories.order(factories.product(price=0), email=person)
    db.session.commit()

    deeds.do("mail", kill_at=point)
    with time_machine.travel(clock.now() + outbox.LEASE + timedelta(seconds=1), tick=False):
        send_the_rest(environment)

    letters = mailbox[0].letters
    assert set(letters) == set(people)
    repeated = [copies for copies in letters.values() if len(copies) > 1]
    assert len(repeated) == (1 if may_repeat else 0)
    for copies in repeated:
        assert len({copy["Message-ID"] for copy in copies}) == 1
        assert len({_body(copy) for copy in copies}) == 1


def send_the_rest(environment: dict[str, str]) -> None:
    """Send in this process what is due, as a worker that took over would."""
    with create_app(Config.from_env(environment), providers=[FakeProvider()]).app_context():
        while outbox.deliver_due():
            pass
        db.session.remove()
        db.engine.dispose()


def _body(letter: Message) -> str:
    return "".join(
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in letter.walk()
        if part.get_content_type() == "text/plain"
    )


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_checkout_retried_after_a_lost_answer_gives_the_same_order(
    deeds: Deeds, _round: int
) -> None:
    product_id = factories.product().id
    db.session.commit()
    deeds.do("place", product_id, kill_at="order-committed")
    [order] = db.session.query(Order).all()
    link = token_of(order)
    cart = fill(Cart({product_id: 1}))
    again = orders.place(
        cart, email="buyer@example.org", user=None, key="pressed once", shown_total=cart.total
    )
    assert token_of(again) == link
    assert again.status is OrderStatus.PENDING


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize(
    ("point", "is_kept"), [("upload-written", False), ("upload-renamed", True)]
)
def test_an_upload_is_kept_whole_or_not_at_all(
    deeds: Deeds, point: str, is_kept: bool, _round: int
) -> None:
    content = "all of it"
    deeds.do("upload", content, kill_at=point)
    files = wiring().files
    key = hashlib.sha256(content.encode()).hexdigest()
    kept = [path for path in files.root.rglob("*") if path.is_file() and path.name == key]  # type: ignore[attr-defined]
    assert bool(kept) is is_kept
    deeds.do("upload", content)
    assert files.path(key).read_text() == content


def test_a_checkpoint_that_is_not_armed_does_nothing(deeds: Deeds, provider: FakeProvider) -> None:
    payment = openings.open_payment(factories.order().id, "fake")
    deeds.do("settle", payment.id, kill_at="")
    db.session.expire_all()
    assert db.session.get_one(Payment, payment.id).status is PaymentStatus.SETTLED
