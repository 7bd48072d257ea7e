"""The whole way from product to payment without a mouse, the focus always in sight."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Arrive

# Whether the focused element, or a frame drawn over it, looks other than without focus.
IS_FOCUS_VISIBLE = """() => {
  const element = document.activeElement;
  const look = () => [null, "::before", "::after"].map((part) => {
    const s = getComputedStyle(element, part);
    return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor].join();
  }).join();
  const focused = look(); element.blur(); const plain = look(); element.focus({focusVisible: true});
  return focused !== plain;
}"""
NAME_OF_FOCUS = """() => {
  const e = document.activeElement;
  const label = e.labels?.length ? e.labels[0] : e;
  return (e.getAttribute("aria-label") || label.textContent || "").replace(/\\s+/g, " ").trim();
}"""
MOST_TABS = 60


def tab_to(page: Page, name: str) -> None:
    """Press Tab until this is focused; every stop on the way must show that it is."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(NAME_OF_FOCUS)
        assert page.evaluate(IS_FOCUS_VISIBLE), f"the focus on “{focused}” cannot be seen"
        if focused == name:
            return
    raise AssertionError(f"“{name}” cannot be reached")


def test_an_order_is_placed_with_the_keyboard_alone(arrive: Arrive, email: str) -> None:
    visitor = arrive()
    page, keys = visitor.page, visitor.page.keyboard
    visitor.go("/")
    keys.press("Tab")
    assert page.evaluate(NAME_OF_FOCUS) == "Skip to content"
    keys.press("Enter")
    tab_to(page, "Genesis Sunrise")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Genesis Sunrise")

    tab_to(page, "Licences")
    keys.press("2")
    tab_to(page, "Add to cart")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Your cart")
    expect(page.locator(".cart-total .price")).to_have_text("$24.00")

    tab_to(page, "Check out")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Checkout")
    tab_to(page, "E-mail")
    keys.type(email)
    keys.press("Enter")

    expect(page.locator("#status-words")).to_have_text("Waiting for your payment.")
    tab_to(page, "Pay from the sandbox wallet")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Wallet")
