"""What `create_app` was handed, within reach of the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from app.storage import Storage

if TYPE_CHECKING:
    from app.mail.send import Mailer
    from app.payments.base import PaymentProvider
    from config import Config


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    config: Config
    providers: Mapping[str, PaymentProvider]
    mailer: Mailer
    files: Storage  # private: what is sold
    pictures: Storage  # public: what is shown


def wiring() -> Wiring:
    """The outside things of the current app."""
    return cast(Wiring, current_app.extensions["satchel"])


def settings() -> Config:
    """The settings of the current app."""
    return wiring().config
