"""What a visitor gathers before ordering."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.buyer import Visitor

SUNRISE, SATOSHI = "Genesis Sunrise", "One Satoshi"


def test_a_cart_counts_licences_and_forgets_what_is_removed(visitor: Visitor) -> None:
    visitor.product("one-satoshi").add_to_cart()
    cart = visitor.product("genesis-sunrise").add_to_cart(2)
    assert set(cart.names) == {SUNRISE, SATOSHI}
    assert cart.total == "$29.00"
    visitor.sees("USD per BSV")

    cart.set_quantity(SATOSHI, "3")
    expect(visitor.page.locator(".cart-total .price")).to_have_text("$39.00")
    expect(visitor.page.locator(".cart-badge")).to_contain_text("5")

    cart.remove(SUNRISE)
    expect(visitor.page.locator(".cart-total .price")).to_have_text("$15.00")
    cart.remove(SATOSHI)
    visitor.sees("Nothing in it yet")


def test_a_quantity_that_is_none_is_refused_beside_its_field(visitor: Visitor) -> None:
    cart = visitor.product("one-satoshi").add_to_cart()
    cart.set_quantity(SATOSHI, "99")

    assert visitor.error_beside(f"Licences of {SATOSHI}")
    assert visitor.page.get_by_label(f"Licences of {SATOSHI}").input_value() == "99"
    assert cart.total == "$5.00"


def test_a_slip_in_the_address_is_asked_about_once(visitor: Visitor) -> None:
    checkout = visitor.product("one-satoshi").add_to_cart().check_out()
    checkout.try_email("somebody@gmial.com")
    visitor.sees("Did you mean somebody@gmail.com?")

    visitor.press("Yes, use somebody@gmail.com")
    visitor.sees("Letters about this order go to somebody@gmail.com")


def test_an_address_that_is_none_is_kept_to_be_corrected(visitor: Visitor) -> None:
    checkout = visitor.product("one-satoshi").add_to_cart().check_out()
    checkout.try_email("somebody at home")

    assert visitor.error_beside("E-mail")
    assert visitor.page.get_by_label("E-mail").input_value() == "somebody at home"


def test_a_form_from_before_the_session_ended_can_be_sent_again(visitor: Visitor) -> None:
    cart = visitor.product("one-satoshi").add_to_cart()
    visitor.page.locator('input[name="csrf_token"]').first.evaluate('field => field.value = "old"')
    cart.set_quantity(SATOSHI, "4")
    assert visitor.status == 400
    assert visitor.page.get_by_label("Quantity").input_value() == "4"

    visitor.press("Send again")
    expect(visitor.page.locator(".cart-total .price")).to_have_text("$20.00")
