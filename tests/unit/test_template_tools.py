"""How the store writes money, times and sizes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.money import bsv, usd
from app.template_tools import ago, bsv_plain, filesize, icon, iso, money, when


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (usd(1900), "$19.00"),
        (usd(5), "$0.05"),
        (usd(123456789), "$1,234,567.89"),
        (bsv(76_000_000), "0.76000000 BSV"),
        (bsv(1), "0.00000001 BSV"),
        (bsv(2_100_000_000_000_000), "21000000.00000000 BSV"),
    ],
)
def test_money_is_written_in_full(amount, written) -> None:
    assert money(amount) == written


def test_a_wallet_gets_a_bare_number_without_an_exponent() -> None:
    assert bsv_plain(bsv(1)) == "0.00000001"


def test_a_time_names_its_zone() -> None:
    moment = datetime(2026, 11, 21, 4, 15, tzinfo=timezone(timedelta(hours=-5)))
    assert when(moment) == "Nov 21, 2026, 09:15 UTC"
    assert iso(moment) == "2026-11-21T09:15:00+00:00"


def test_the_past_is_told_in_words() -> None:
    assert ago(datetime.now(UTC) - timedelta(minutes=3)) == "3 minutes ago"


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (1, "1 byte"),
        (840, "840 bytes"),
        (999_499, "999 kB"),
        (999_999, "1.0 MB"),
        (1_234_567, "1.2 MB"),
        (2 * 1024**3, "2.1 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_a_size_is_short(size: int, written: str) -> None:
    assert filesize(size) == written


def test_an_icon_is_silent_for_screen_readers() -> None:
    assert 'aria-hidden="true"' in icon("bag")


def test_an_icon_that_was_not_vendored_is_noticed() -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon")
