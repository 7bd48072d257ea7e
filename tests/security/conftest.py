"""What attackers start from: an order that is paid, and accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from app import create_app
from app.extensions import db
from app.models import Entitlement, Order
from config import Config
from tests import buying, factories
from tests.conftest import empty
from tests.fakes import rails
from tests.fakes.explorer import FakeExplorer
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider
from tests.pages import Client, Page

CONTENT = bytes(range(256)) * 40


@dataclass(frozen=True)
class Bought:
    """A guest's order of one product, paid."""

    order_page: str
    download_page: str

    @property
    def entitlement(self) -> Entitlement:
        db.session.rollback()
        return db.session.query(Entitlement).order_by(Entitlement.id).limit(1).one()

    @property
    def order(self) -> Order:
        return self.entitlement.order

    def start(self, client: Client) -> str:
        """Press “Download”; where the file then lies."""
        answer = client.submit(self.download_page, "/files/")
        assert answer.status_code == 303, answer.text
        return answer.location


@pytest.fixture
def bought(client: Client, provider: FakeProvider) -> Bought:
    order_page = buying.order(client, factories.product(content=CONTENT))
    buying.pay(provider, order_page)
    return Bought(order_page, buying.link(client, order_page, "/downloads/"))


@pytest.fixture
def explorer() -> Iterator[FakeExplorer]:
    explorer = FakeExplorer()
    with explorer.answering():
        yield explorer


@pytest.fixture
def onchain(
    environment: dict[str, str], explorer: FakeExplorer, outgoing: Outgoing
) -> Iterator[Flask]:
    """A store that takes Bitcoin SV, in front of a fake explorer."""
    app = create_app(Config.from_env(environment), providers=[rails.with_xpub()], mailer=outgoing)
    app.test_client_class = Client
    with app.app_context():
        yield app
        db.session.remove()
        empty()
        db.engine.dispose()


@pytest.fixture
def visitor(app: Flask) -> Callable[[], Client]:
    """Another visitor, with a browser of their own."""

    def another() -> Client:
        made = app.test_client()
        assert isinstance(made, Client)
        return made

    return another


def sign_in(client: Client, email: str, password: str = factories.PASSWORD) -> None:
    answer = client.submit("/login", "/login", email=email, password=password)
    assert answer.status_code == 303, answer.text


def token_for(client: Client, page: str) -> str:
    """A good CSRF token from this page, for a request made by hand."""
    return [form for form in Page(client.get(page).text).forms if form.method == "post"][-1].fields[
        "csrf_token"
    ]
