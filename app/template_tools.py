"""Filters and globals of the templates: how the store writes money, times, sizes and symbols."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency
from flask import session
from markupsafe import Markup
from werkzeug.local import LocalProxy

from app import clock, markdown
from app.money import Currency, Money
from app.services.carts import Cart
from app.static_files import FOLDER
from app.wiring import settings

if TYPE_CHECKING:
    from flask import Flask

LOCALE = "en_US"
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def init_app(app: Flask) -> None:
    """Give the app's templates their tools."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        money=money,
        bsv_plain=bsv_plain,
        when=when,
        day=day,
        ago=ago,
        iso=iso,
        filesize=filesize,
        markdown=markdown.render,
    )
    app.jinja_env.globals.update(
        icon=icon,
        cart_count=cart_count,
        settings=LocalProxy(settings),
        now=clock.now,
    )


@lru_cache(maxsize=4096)
def money(amount: Money) -> str:
    """As in “$19.00, 0.76000000 BSV”."""
    if amount.currency is Currency.USD:
        return format_currency(amount.major, "USD", locale=LOCALE)
    return str(amount)


def bsv_plain(amount: Money) -> str:
    """The bare number a wallet takes: "0.76000000"."""
    return f"{amount.major:f}"


def when(moment: datetime) -> str:
    """As in “Nov 21, 2026, 09:15 UTC”."""
    return format_datetime(moment.astimezone(UTC), "MMM d, y, HH:mm", locale=LOCALE) + " UTC"


def day(moment: datetime) -> str:
    """As in “Nov 21, 2026”."""
    return format_date(moment.astimezone(UTC), "MMM d, y", locale=LOCALE)


def iso(moment: datetime) -> str:
    """What `<time datetime>` takes."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def ago(moment: datetime) -> str:
    """As in “3 minutes ago, in 2 hours”."""
    return format_timedelta(moment - clock.now(), add_direction=True, locale=LOCALE)


def filesize(size: int) -> str:
    """As in “840 bytes, 1.2 MB; thousands, as shops and desktops count”."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    power = next((power for power in (1, 2, 3) if size < 999.5 * 1000**power), 4)
    value = size / 1000**power
    return f"{value:.{1 if value < 99.95 else 0}f} {UNITS[power]}"


@lru_cache(maxsize=256)
def icon(name: str) -> Markup:
    """The drawing of this name, hidden from screen readers: the text beside it speaks."""
    return Markup(
        '<svg class="icon" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true"'
        ' focusable="false">{}</svg>'
    ).format(Markup(_sprite()[name]))  # noqa: S704 - drawings out of our own static folder


def cart_count() -> int:
    """How many pieces lie in this visitor's cart."""
    return Cart.load(session.get("cart")).count


@lru_cache(maxsize=1)
def _sprite() -> dict[str, str]:
    """The inside of every symbol of the vendored sprite."""
    drawing = (FOLDER / "vendor" / "icons.svg").read_text("utf-8")
    return dict(re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', drawing, re.DOTALL))
