"""What a phone reads off the screen is what the database says is due."""

from __future__ import annotations

import io
import json

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator

from tests.browser.conftest import Arrive


def read(drawing: Locator) -> str:
    """The text of the QR code, as a camera would find it."""
    picture = Image.open(io.BytesIO(drawing.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


@pytest.mark.parametrize(("theme", "width"), [("dark", 360), ("light", 1280)])
def test_the_code_on_the_screen_says_what_the_database_says(
    arrive: Arrive, email: str, theme: str, width: int
) -> None:
    visitor = arrive(color_scheme=theme, viewport={"width": width, "height": 800})
    order = visitor.places_an_order("one-satoshi", email)

    uri = json.loads(visitor.store.payment(order.number)["details"])["uri"]
    assert read(order.qr) == order.uri == uri


def test_the_code_asks_for_the_rest_when_a_part_has_come(arrive: Arrive, email: str) -> None:
    visitor = arrive()
    order = visitor.places_an_order("one-satoshi", email)
    order.pays("Too little")
    order.asks_until("A part has arrived")

    assert read(order.qr) == order.uri
    assert f"amount={order.amount}" in order.uri
