"""What a letter reads like without its markup."""

from __future__ import annotations

from flask import Flask

from app.services import outbox
from tests import factories
from tests.fakes.outgoing import Outgoing


def test_the_link_stands_on_a_line_of_its_own(app: Flask, outgoing: Outgoing) -> None:
    factories.order(factories.product(name="Sunrise", price=0))
    factories.order(factories.product(name="Sunset", price=0), quantity=2)
    outbox.deliver_due()
    one, two = (letter.body.splitlines() for letter in outgoing.letters)
    assert one[one.index("Sunrise") + 1].startswith("Download: http://")
    assert two[two.index("Sunset × 2") + 1].startswith("Download: http://")
