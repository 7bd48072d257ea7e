"""The settings: what the store starts with, and what it refuses to start with."""

from __future__ import annotations

import ast
import dataclasses
import re
from decimal import Decimal
from pathlib import Path

import pytest

from app.money import usd
from config import Config, ConfigError, Network

ROOT = Path(__file__).parents[2]
KEY = "k" * 32
PRODUCTION = {"SECRET_KEY": KEY, "PUBLIC_URL": "https://shop.example"}


def names_read() -> set[str]:
    """Every variable config.py asks for."""
    tree = ast.parse((ROOT / "config.py").read_text())
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "read"
        and isinstance(call.args[0], ast.Constant)
    }


def example() -> dict[str, str]:
    """The variables of .env.example and their defaults, commented out or not."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_example_lists_every_setting_and_no_other() -> None:
    assert set(example()) == names_read() - {"FLASK_DEBUG"}


def test_the_defaults_of_the_example_are_the_defaults() -> None:
    relative = {"DATABASE_URL", "STORAGE_DIR"}  # shown as they look from the project's folder
    stated = {name: value for name, value in example().items() if name not in relative}
    assert Config.from_env({**stated, "SECRET_KEY": KEY}) == Config.from_env({"SECRET_KEY": KEY})


def test_the_defaults_are_those_of_the_product() -> None:
    config = Config.from_env({"SECRET_KEY": KEY})
    assert config.payment_window.total_seconds() == 120 * 60
    assert (config.unconfirmed_limit, config.one_confirmation_limit) == (usd(2000), usd(20000))
    assert (config.download_limit, config.download_days, config.session_days) == (5, 30, 14)
    assert (config.tolerance_percent, config.tolerance_limit) == (Decimal("0.5"), usd(50))
    assert config.whatsonchain_url == "https://api.whatsonchain.com/v1/bsv/main"
    assert len(config.rate_sources) == 7


def test_a_setting_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config.from_env({"SECRET_KEY": KEY}).store_name = "Other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("DATABASE_URL", "mysql://host/db"),
        ("PUBLIC_URL", "shop.example"),
        ("PUBLIC_URL", "ftp://shop.example"),
        ("BSV_NETWORK", "moon"),
        ("WHATSONCHAIN_URL", "nowhere"),
        ("WHATSONCHAIN_RATE_PER_SECOND", "0"),
        ("WHATSONCHAIN_RATE_PER_SECOND", "NaN"),
        ("RATE_SOURCES", "gate"),
        ("RATE_SOURCES", "gate=http://a,gate=http://b"),
        ("PAYMENT_WINDOW_MINUTES", "0"),
        ("PAYMENT_WINDOW_MINUTES", "1.5"),
        ("UNCONFIRMED_LIMIT_USD", "-1"),
        ("UNCONFIRMED_LIMIT_USD", "0.001"),
        ("UNCONFIRMED_LIMIT_USD", "500"),
        ("DOWNLOAD_LIMIT", "five"),
        ("MAIL_PORT", "70000"),
        ("MAIL_USE_TLS", "maybe"),
        ("STORE_NAME", "two\nlines"),
        ("TRUSTED_PROXIES", "-1"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_its_variable(name: str, value: str) -> None:
    wrong = {"SECRET_KEY": KEY, name: value}
    with pytest.raises(ConfigError, match=r"^[A-Z_]*") as error:
        Config.from_env(wrong)
    assert name.removeprefix("UNCONFIRMED") in str(error.value) or name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "http://shop.example"),
        ("BSV_NETWORK", "sandbox"),
        ("FLASK_DEBUG", "1"),
    ],
)
def test_production_refuses_what_only_a_laptop_may_have(name: str, value: str) -> None:
    assert Config.from_env(PRODUCTION).is_production
    with pytest.raises(ConfigError, match=f"^{name}: "):
        Config.from_env({**PRODUCTION, name: value})


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost", "http://[::1]:80"])
def test_this_machine_is_not_production(url: str) -> None:
    config = Config.from_env({"SECRET_KEY": "x", "PUBLIC_URL": url, "BSV_NETWORK": "sandbox"})
    assert not config.is_production
    assert config.bsv_network is Network.SANDBOX


def test_the_urls_that_hosts_hand_out_work_as_they_are() -> None:
    config = Config.from_env({"SECRET_KEY": KEY, "DATABASE_URL": "postgres://u:p@host/db"})
    assert config.database_url == "postgresql+psycopg://u:p@host/db"


def test_an_xpub_and_an_address_together_are_refused() -> None:
    both = {"SECRET_KEY": KEY, "BSV_XPUB": "xpub…", "BSV_ADDRESS": "1…"}
    with pytest.raises(ConfigError, match="BSV_ADDRESS"):
        Config.from_env(both)
