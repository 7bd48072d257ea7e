"""The store's pages, as a buyer speaks of them."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, Response, expect

from tests.browser.store import Store

PATIENCE_SECONDS = 30
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


class Visitor:
    """Somebody at a browser of their own, with scripts or without."""

    def __init__(self, page: Page, store: Store, *, scripts: bool) -> None:
        self.page, self.store, self.scripts = page, store, scripts
        self._answer: Response | None = None
        page.set_default_timeout(10_000)
        page.on("response", self._keep)

    def _keep(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self._answer = response

    @property
    def status(self) -> int:
        """Of the page on the screen."""
        assert self._answer is not None
        return self._answer.status

    @property
    def html(self) -> str:
        """The page on the screen as the store sent it."""
        assert self._answer is not None
        return self._answer.text()

    def status_of(self, path: str) -> int:
        return self.go(path).status

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.store.url)

    def go(self, path: str) -> Visitor:
        """Open a page of the store, or any other by its whole address."""
        self.page.goto(path if path.startswith("http") else self.store.url + path)
        return self

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        (within or self.page.locator("main")).get_by_role("button", name=name).click()

    def follow(self, name: str, *, within: Locator | None = None) -> None:
        (within or self.page.locator("main")).get_by_role("link", name=name).first.click()

    def sees(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def error_beside(self, label: str) -> str:
        """What a screen reader reads with the field when it is wrong."""
        field = self.page.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        names = (field.get_attribute("aria-describedby") or "").split()
        texts = [self.page.locator(f"#{name}").inner_text() for name in names if "error" in name]
        return " ".join(texts).strip()

    # ── ways to a page ───────────────────────────────────────────────────────────────────────

    def shop(self) -> Shop:
        return Shop(self.go("/"))

    def product(self, slug: str) -> ProductPage:
        return ProductPage(self.go(f"/products/{slug}"))

    def cart(self) -> CartPage:
        return CartPage(self.go("/cart"))

    def order(self, token: str) -> OrderPage:
        return OrderPage(self.go(f"/orders/{token}"))

    def mailbox(self, address: str) -> Mailbox:
        return Mailbox(self, address)

    def places_an_order(self, slug: str, email: str = "", licences: int = 1) -> OrderPage:
        """From the product to the payment page; without an e-mail as whoever is signed in."""
        checkout = self.product(slug).add_to_cart(licences).check_out()
        return checkout.as_guest(email) if email else checkout.order()

    def makes_an_account(self, email: str, password: str) -> None:
        self.go("/register")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.press("Make the account")
        expect(self.page.locator("h1")).to_have_text("Sign in")

    def signs_in(self, email: str, password: str) -> None:
        """On the page that asks for it, wherever that leads then."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")


class Shop:
    """The catalogue."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    def search(self, words: str) -> Shop:
        box = self.visitor.page.get_by_role("searchbox")
        box.fill(words)
        box.press("Enter")
        return self

    @property
    def names(self) -> list[str]:
        return self.visitor.page.locator(".product-card-name").all_inner_texts()

    def open(self, name: str) -> ProductPage:
        self.visitor.follow(name)
        expect(self.visitor.page.locator("h1")).to_have_text(name)
        return ProductPage(self.visitor)


class ProductPage:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    def add_to_cart(self, licences: int = 1) -> CartPage:
        self.visitor.page.get_by_label("Licences").select_option(str(licences))
        self.visitor.press("Add to cart")
        expect(self.visitor.page.locator("h1")).to_have_text("Your cart")
        return CartPage(self.visitor)


class CartPage:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    @property
    def total(self) -> str:
        return self.visitor.page.locator(".cart-total .price").inner_text()

    @property
    def names(self) -> list[str]:
        return self.visitor.page.locator(".cart-line-name a").all_inner_texts()

    def set_quantity(self, name: str, quantity: str) -> None:
        self.visitor.page.get_by_label(f"Licences of {name}").fill(quantity)
        self.visitor.press(f"Update the licences of {name}")

    def remove(self, name: str) -> None:
        self.visitor.press(f"Remove {name}")

    def check_out(self) -> Checkout:
        self.visitor.follow("Check out")
        expect(self.visitor.page.locator("h1")).to_have_text("Checkout")
        return Checkout(self.visitor)


class Checkout:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    def try_email(self, email: str) -> None:
        self.visitor.page.get_by_label("E-mail").fill(email)
        self.visitor.press("Place the order")

    def as_guest(self, email: str) -> OrderPage:
        self.try_email(email)
        return OrderPage(self.visitor)

    def order(self) -> OrderPage:
        self.visitor.press("Place the order")
        return OrderPage(self.visitor)


class OrderPage:
    """The order's page, which while nothing is paid is the payment page."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page
        expect(self.page.locator("h1")).to_have_text(re.compile(r"^Order \S+$"))
        self.number = visitor.heading.removeprefix("Order ")
        self.token = re.sub(r".*/orders/|[/?#].*$", "", self.page.url)

    @property
    def words(self) -> str:
        return self.page.locator("#status-words").inner_text()

    @property
    def amount(self) -> str:
        """What is to be sent, as it would be copied."""
        return self.page.locator('[data-copy]:has-text("Amount")').get_attribute("data-copy") or ""

    @property
    def address(self) -> str:
        return self.page.locator("#address").inner_text()

    @property
    def uri(self) -> str:
        return self.page.get_by_role("link", name="Open in wallet").get_attribute("href") or ""

    @property
    def qr(self) -> Locator:
        return self.page.locator(".qr-frame")

    def pays(self, how: str = "In full") -> list[str]:
        """Pay from the sandbox's wallet, by the link on the page, and come back; the TXIDs."""
        self.visitor.follow("Pay from the sandbox wallet")
        return Wallet(self.visitor).pay(how)

    def becomes(self, words: str) -> OrderPage:
        """Until the page says so: by itself where scripts run."""
        if not self.visitor.scripts:
            return self.asks_until(words)
        expect(self.page.locator("#status-words")).to_contain_text(words)
        return self

    def asks_until(self, words: str) -> OrderPage:
        """The same by its button, which is quicker."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.words:
            assert time.monotonic() < deadline, self.words
            self.visitor.press("Check my payment")
            time.sleep(0.5)
            self.page.reload()
        return self

    def posts(self, transaction_id: str) -> None:
        self.visitor.follow("I have a transaction ID")
        self.visitor.page.get_by_label("Transaction ID (TXID)").fill(transaction_id)
        self.visitor.press("Look for it")

    def download(self, name: str) -> DownloadPage:
        self.visitor.follow(f"Download {name}")
        return DownloadPage(self.visitor)


class Wallet:
    """The sandbox's wallet, with a payment link filled in."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page

    def pay(self, how: str) -> list[str]:
        self.page.get_by_label(how).check()
        self.page.get_by_role("button", name="Pay", exact=True).click()
        expect(self.page.locator("h1")).to_have_text("Paid")
        txids = self.page.locator(".txid").all_inner_texts()
        self.visitor.follow("Back to the store")
        return txids


class Mailbox:
    """Letters to one address."""

    def __init__(self, visitor: Visitor, address: str) -> None:
        self.visitor, self.page, self.address = visitor, visitor.page, address

    def opens(self, subject: str) -> Letter:
        """The newest letter with this subject, as soon as it is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        letters = self.page.get_by_role("link", name=subject)
        self.visitor.go(f"{self.visitor.store.sandbox_url}/mailbox?to={self.address}")
        while not letters.count():
            assert time.monotonic() < deadline, f"no letter “{subject}” to {self.address}"
            time.sleep(0.3)
            self.page.reload()
        letters.first.click()
        return Letter(self.visitor)


class Letter:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    @property
    def text(self) -> str:
        return self.visitor.page.locator("pre.letter").inner_text()

    def follows(self, part: str) -> None:
        """Open the link that contains this, as a mail program would."""
        link = self.visitor.page.locator(f'pre.letter a[href*="{part}"]').first
        self.visitor.go(link.get_attribute("href") or "")


class DownloadPage:
    """Where a private link leads."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page
        expect(self.page.get_by_role("heading", name="Files")).to_be_visible()

    @property
    def left(self) -> int:
        found = re.search(r"(\d+) of \d+ downloads left", self.page.locator("main").inner_text())
        assert found, "the page does not say how many downloads are left"
        return int(found[1])

    @property
    def shown_checksum(self) -> str:
        self.page.get_by_text("Checksum").first.click()
        return self.page.locator(".checksum").first.inner_text()

    def download(self) -> Path:
        """Press the first file's button; where the browser has put the file."""
        with self.page.expect_download() as waiting:
            self.visitor.press(re.compile("^Download "))
        return waiting.value.path()

    def reload(self) -> DownloadPage:
        with suppress(Error):  # a download that has just begun may hold up the navigation
            self.page.reload()
        self.page.goto(self.page.url)
        return DownloadPage(self.visitor)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
