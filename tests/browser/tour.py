"""Every page and state of the store under its name, to be checked and to be pictured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tests.browser.buyer import DownloadPage, OrderPage, Visitor
from tests.browser.store import Store

EMAIL = "tourist@example.org"
SMALL, NAME = "one-satoshi", "One Satoshi"  # counts without a block
LARGE = "exclusive-licence"  # waits for six
YESTERDAY = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-1 day')"

UNPAID = ("awaiting", "last minutes", "partial", "cancelled")
TIMED_OUT = ("expired", "review", "paid twice")
UNMINED = ("seen", "conflicted", "unpaid")
PAID = ("paid", "overpaid", "suspended", "refunded", "used up", "link expired")
WORDS = {
    "partial": "A part has arrived",
    "seen": "Your payment is on its way to us.",
    "review": "We are looking at your payment.",
    "conflicted": "withdrawn from the network",
    "paid twice": "Paid",
}

ORDER_PAGES = (*UNPAID, *TIMED_OUT, *UNMINED, "paid", "overpaid", "suspended", "refunded")

Stop = Callable[["Tour", Visitor], object]
STOPS: dict[str, Stop] = {}


def stop(function: Stop) -> Stop:
    """A place of the tour: leads a fresh visitor to a page and leaves them there."""
    STOPS[function.__name__] = function
    return function


@dataclass(slots=True)
class Placed:
    """An order that is to come to some state."""

    number: str
    token: str
    uri: str
    download: str = ""  # the path of its first download

    @property
    def path(self) -> str:
        return f"/orders/{self.token}"


class Tour:
    """Orders in every state, all brought there together when the first is asked for."""

    def __init__(self, store: Store, arrive: Callable[..., Visitor]) -> None:
        self.store, self._arrive = store, arrive

    def order(self, state: str) -> Placed:
        return self._orders[state]

    @cached_property
    def _guide(self) -> Visitor:
        return self._arrive(scripts=False)

    @cached_property
    def _orders(self) -> dict[str, Placed]:
        states = dict.fromkeys((*UNPAID, *TIMED_OUT, *PAID), SMALL) | dict.fromkeys(UNMINED, LARGE)
        orders = {state: self._place(slug) for state, slug in states.items()}
        for state in TIMED_OUT:
            self.store.let_time_pass(orders[state].number, hours=3)
        self._spend_twice(orders["conflicted"])
        for state in TIMED_OUT:
            self._ask(orders[state], "The time to pay is over.")
        self._pay_twice(orders["paid twice"])
        self.store.pay(orders["review"].uri, "short")
        for state in PAID:
            self.store.pay(orders[state].uri, "over" if state == "overpaid" else "full")
        self.store.mine()
        self.store.pay(orders["partial"].uri, "short")
        self.store.pay(orders["seen"].uri)
        for state, words in {**dict.fromkeys(PAID, "Paid"), **WORDS}.items():
            self._ask(orders[state], words)
            if state in PAID:
                link = self._guide.page.get_by_role("link", name="Download").first
                orders[state].download = link.get_attribute("href") or ""
        self._change_by_hand(orders)
        return orders

    def _place(self, slug: str) -> Placed:
        order = self._guide.places_an_order(slug, EMAIL)
        return Placed(order.number, order.token, order.uri)

    def _ask(self, order: Placed, words: str) -> None:
        self._guide.order(order.token).asks_until(words)

    def _spend_twice(self, order: Placed) -> None:
        (txid,) = self.store.pay(order.uri)
        self._ask(order, "Your payment is on its way to us.")
        self.store.take_back(txid)

    def _pay_twice(self, order: Placed) -> None:
        """In time for a second quote and, late, for the first."""
        page = self._guide.order(order.token)
        self._guide.press("Get a new amount in Bitcoin SV")
        for uri in (order.uri, page.uri):
            self.store.pay(uri)
        self.store.look_now(order.number)

    def _change_by_hand(self, orders: dict[str, Placed]) -> None:
        """What a person would decide, or only many days would bring."""
        self.store.let_time_pass(orders["last minutes"].number, minutes=110)
        self._forget_payment(orders["unpaid"])
        self._set(orders["used up"], "entitlements", "downloads_used = download_limit")
        self._set(orders["link expired"], "entitlements", f"expires_at = {YESTERDAY}")
        self._set(orders["suspended"], "entitlements", "status = 'suspended'")
        self._set(orders["refunded"], "entitlements", "status = 'revoked'")
        for state in ("cancelled", "refunded"):
            self._set(orders[state], "payments", f"status = '{state}', next_check_at = NULL")
            self._set(orders[state], "orders", f"status = '{state}'")

    def _forget_payment(self, order: Placed) -> None:
        """As if no rate had been to be had when it was placed."""
        where = "order_id = (SELECT id FROM orders WHERE number = ?)"
        self.store.change(f"DELETE FROM payments WHERE {where}", order.number)

    def _set(self, order: Placed, table: str, change: str) -> None:
        key = "id" if table == "orders" else "order_id"
        where = f"{key} = (SELECT id FROM orders WHERE number = ?)"
        self.store.change(f"UPDATE {table} SET {change} WHERE {where}", order.number)

    @cached_property
    def account(self) -> str:
        """The demonstration buyer, who has paid for something."""
        email = "buyer@example.org"
        buyer = self._arrive(scripts=False)
        buyer.go("/login").signs_in(email, self.store.password("buyer"))
        order = buyer.places_an_order(SMALL)
        self.store.pay(order.uri)
        self.store.mine()
        order.asks_until("Paid")
        return email

    def admin(self, visitor: Visitor) -> Visitor:
        visitor.go("/login").signs_in("admin@example.org", self.store.password("admin"))
        return visitor.go("/admin/")


# ── looking around ───────────────────────────────────────────────────────────────────────────


@stop
def catalogue(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/")


@stop
def catalogue_page_2(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/?page=2")


@stop
def search(tour: Tour, visitor: Visitor) -> None:
    visitor.shop().search("sat")


@stop
def search_finds_nothing(tour: Tour, visitor: Visitor) -> None:
    visitor.shop().search("a thing that nobody drew")


@stop
def tag(tour: Tour, visitor: Visitor) -> None:
    visitor.shop()
    visitor.follow("Retro")


@stop
def product_png(tour: Tour, visitor: Visitor) -> None:
    visitor.product("genesis-sunrise")


@stop
def product_zip(tour: Tour, visitor: Visitor) -> None:
    visitor.product("block-by-block")


@stop
def product_pdf(tour: Tour, visitor: Visitor) -> None:
    visitor.product("coins-at-the-counter")


# ── cart and checkout ────────────────────────────────────────────────────────────────────────


@stop
def cart_empty(tour: Tour, visitor: Visitor) -> None:
    visitor.cart()


@stop
def cart(tour: Tour, visitor: Visitor) -> None:
    visitor.product("coins-at-the-counter").add_to_cart()
    visitor.product("genesis-sunrise").add_to_cart(3)


@stop
def cart_wrong_quantity(tour: Tour, visitor: Visitor) -> None:
    visitor.product(SMALL).add_to_cart().set_quantity(NAME, "99")


@stop
def checkout(tour: Tour, visitor: Visitor) -> None:
    visitor.product(SMALL).add_to_cart(2).check_out()


@stop
def checkout_wrong_email(tour: Tour, visitor: Visitor) -> None:
    visitor.product(SMALL).add_to_cart().check_out().try_email("somebody at home")


@stop
def checkout_asks_about_a_slip(tour: Tour, visitor: Visitor) -> None:
    visitor.product(SMALL).add_to_cart().check_out().try_email("somebody@gmial.com")


@stop
def checkout_changed_price(tour: Tour, visitor: Visitor) -> None:
    page = visitor.product(SMALL).add_to_cart().check_out()
    visitor.page.locator('input[name="total"]').evaluate('field => field.value = "400"')
    page.try_email(EMAIL)


@stop
def checkout_signed_in(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/login").signs_in(tour.account, tour.store.password("buyer"))
    visitor.product(SMALL).add_to_cart().check_out()


@stop
def checkout_expired_form(tour: Tour, visitor: Visitor) -> None:
    page = visitor.product(SMALL).add_to_cart().check_out()
    visitor.page.locator('input[name="csrf_token"]').evaluate('field => field.value = "old"')
    page.try_email(EMAIL)


# ── the order ────────────────────────────────────────────────────────────────────────────────


def _order_in(state: str) -> None:
    STOPS[f"order_{state.replace(' ', '_')}"] = lambda tour, visitor: visitor.go(
        tour.order(state).path
    )


for _state in ORDER_PAGES:
    _order_in(_state)


@stop
def receipt(tour: Tour, visitor: Visitor) -> None:
    visitor.go(f"{tour.order('paid').path}/receipt")


@stop
def proof(tour: Tour, visitor: Visitor) -> None:
    visitor.go(f"{tour.order('awaiting').path}/proof")


@stop
def proof_refused(tour: Tour, visitor: Visitor) -> None:
    OrderPage(visitor.go(tour.order("awaiting").path)).posts("abc")


@stop
def proof_unknown(tour: Tour, visitor: Visitor) -> None:
    OrderPage(visitor.go(tour.order("awaiting").path)).posts("ab" * 32)
    visitor.sees("We keep looking")


@stop
def proof_too_often(tour: Tour, visitor: Visitor) -> None:
    order = visitor.places_an_order(SMALL, EMAIL)
    for _ in range(6):
        visitor.go(f"/orders/{order.token}")
        order.posts("abc")
    visitor.sees("Too many tries")


# ── downloads ────────────────────────────────────────────────────────────────────────────────


@stop
def download(tour: Tour, visitor: Visitor) -> None:
    visitor.go(tour.order("paid").download)


@stop
def download_started(tour: Tour, visitor: Visitor) -> None:
    page = DownloadPage(visitor.go(tour.order("overpaid").download))
    page.download()
    page.reload()


@stop
def download_used_up(tour: Tour, visitor: Visitor) -> None:
    visitor.go(tour.order("used up").download)


@stop
def download_expired(tour: Tour, visitor: Visitor) -> None:
    visitor.go(tour.order("link expired").download)


@stop
def download_suspended(tour: Tour, visitor: Visitor) -> None:
    visitor.go(tour.order("suspended").download)


@stop
def download_closed(tour: Tour, visitor: Visitor) -> None:
    page = DownloadPage(visitor.go(tour.order("overpaid").download))
    page.download()
    link = page.reload().page.get_by_role("link", name="Continue").get_attribute("href") or ""
    tour.store.change(f"UPDATE downloads SET expires_at = {YESTERDAY}")
    visitor.go(link)


# ── accounts ─────────────────────────────────────────────────────────────────────────────────


@stop
def login(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/login")


@stop
def login_asked_for(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/account/orders")


@stop
def login_refused(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/login").signs_in("nobody@example.org", "not the password")


@stop
def login_expired_form(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/login")
    visitor.page.locator('input[name="csrf_token"]').evaluate('field => field.value = "old"')
    visitor.signs_in("nobody@example.org", "not the password")


@stop
def register(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/register")


@stop
def register_refused(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/register")
    visitor.page.get_by_label("E-mail").fill("somebody at home")
    visitor.page.get_by_label("Password").fill("password")
    visitor.press("Make the account")


@stop
def registered(tour: Tour, visitor: Visitor) -> None:
    visitor.makes_an_account("newcomer@example.org", "a saddle of seven buckles")


@stop
def account_without_orders(tour: Tour, visitor: Visitor) -> None:
    email, password = "browser@example.org", "a saddle of seven buckles"
    visitor.makes_an_account(email, password)
    visitor.signs_in(email, password)


@stop
def account(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/login").signs_in(tour.account, tour.store.password("buyer"))


# ── the back office ──────────────────────────────────────────────────────────────────────────


@stop
def admin(tour: Tour, visitor: Visitor) -> None:
    assert tour.order("review").number
    tour.admin(visitor)


@stop
def admin_order(tour: Tour, visitor: Visitor) -> None:
    tour.admin(visitor).go(f"/admin/orders/{tour.order('paid').number}")


@stop
def admin_order_in_review(tour: Tour, visitor: Visitor) -> None:
    tour.admin(visitor).go(f"/admin/orders/{tour.order('review').number}")


@stop
def admin_without_a_reason(tour: Tour, visitor: Visitor) -> None:
    tour.admin(visitor).go(f"/admin/orders/{tour.order('review').number}")
    visitor.press("Accept the payment")


# ── what is not there ────────────────────────────────────────────────────────────────────────


@stop
def not_found(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/products/nothing-of-the-kind")


@stop
def not_allowed(tour: Tour, visitor: Visitor) -> None:
    visitor.go("/cart/items")
