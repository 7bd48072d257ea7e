"""Private links: looking counts nothing, pressing counts one, five are all."""

from __future__ import annotations

import pytest

from tests.browser.buyer import DownloadPage, Visitor, sha256
from tests.browser.conftest import Arrive

NAME, SLUG = "Proof of Work", "proof-of-work"


@pytest.fixture
def download(visitor: Visitor, email: str) -> DownloadPage:
    """The page of a download that was just paid."""
    order = visitor.places_an_order(SLUG, email)
    visitor.store.pay(order.uri)
    visitor.store.mine()
    return order.asks_until("Paid").download(NAME)


def test_five_downloads_and_then_a_clear_word(visitor: Visitor, download: DownloadPage) -> None:
    for left in (5, 4, 3, 2, 1):
        assert download.reload().left == left
        file = download.download()
    visitor.page.reload()
    visitor.sees("All 5 downloads have been used.")
    assert not visitor.page.get_by_role("button", name="Download").count()

    with visitor.page.expect_download() as waiting:  # what was begun may be repeated
        visitor.follow("Continue")
    assert sha256(waiting.value.path()) == sha256(file)


def test_a_guests_link_is_the_key_itself_but_no_other_is(
    arrive: Arrive, download: DownloadPage
) -> None:
    link = download.visitor.path
    friend = arrive(scripts=download.visitor.scripts)
    friend.go(link)
    assert DownloadPage(friend).left == 5

    friend.go(link[:-1] + ("A" if link[-1] != "A" else "B"))
    assert friend.status == 404
