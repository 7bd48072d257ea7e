"""Every setting of the store, read once from the environment into one frozen value.

A wrong value stops the start with a line that names the variable. `.env.example` explains each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from app.money import Currency, Money, MoneyError

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

ROOT = Path(__file__).resolve().parent
SECRET_KEY_LENGTH = 32  # characters a secret needs in production

WHATSONCHAIN = "https://api.whatsonchain.com/v1/bsv"
DEFAULT_RATE_SOURCES = ",".join(
    (
        f"whatsonchain={WHATSONCHAIN}/main/exchangerate",
        (
            "coingecko=https://api.coingecko.com/api/v3/simple/price"
            "?ids=bitcoin-cash-sv&vs_currencies=usd&include_last_updated_at=true"
        ),
        "coinpaprika=https://api.coinpaprika.com/v1/tickers/bsv-bitcoin-sv",
        "gate=https://api.gateio.ws/api/v4/spot/tickers?currency_pair=BSV_USDT",
        "bitget=https://api.bitget.com/api/v2/spot/market/tickers?symbol=BSVUSDT",
        "mexc=https://api.mexc.com/api/v3/ticker/price?symbol=BSVUSDT",
        "htx=https://api.huobi.pro/market/trade?symbol=bsvusdt",
    )
)


class ConfigError(ValueError):
    """A setting that the store cannot start with; the text names the variable."""


class Network(StrEnum):
    MAIN = "main"
    TEST = "test"
    SANDBOX = "sandbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    database_url: str
    public_url: str  # without a trailing slash
    store_name: str
    storage_dir: Path

    bsv_network: Network
    bsv_xpub: str | None
    bsv_address: str | None
    whatsonchain_url: str
    whatsonchain_api_key: str | None
    whatsonchain_rate_per_second: Decimal
    rate_sources: Mapping[str, str]  # name → URL

    payment_window: timedelta
    watch_for: timedelta  # how long an expired payment is watched on
    unconfirmed_limit: Money
    one_confirmation_limit: Money
    tolerance_percent: Decimal
    tolerance_limit: Money
    quote_margin_percent: Decimal

    download_limit: int
    download_days: int
    session_days: int

    mail_server: str
    mail_port: int
    mail_use_tls: bool
    mail_username: str | None
    mail_password: str | None
    mail_from: str

    trusted_proxies: int
    ratelimit_storage_url: str
    download_accel_prefix: str | None  # nginx X-Accel-Redirect location for files
    sandbox_url: str | None  # where the sandbox's wallet and mailbox are, for the banner
    log_level: str

    @property
    def is_production(self) -> bool:
        """Whether people other than the developer can reach the store."""
        return not is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def is_secure(self) -> bool:
        """Whether visitors come over TLS."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """The settings of this environment; ConfigError on the first that is wrong."""
        read = _Reader(os.environ if environ is None else environ)
        network = read.one_of("BSV_NETWORK", Network, default="main")
        config = cls(
            secret_key=read.text("SECRET_KEY"),
            secret_key_fallbacks=tuple(read.list("SECRET_KEY_FALLBACKS")),
            database_url=read.parsed(
                "DATABASE_URL", _database_url, default=f"sqlite:///{ROOT}/instance/satchel.db"
            ),
            public_url=read.parsed("PUBLIC_URL", _base_url, default="http://127.0.0.1:5000"),
            store_name=read.text("STORE_NAME", default="Satchel"),
            storage_dir=Path(
                read.text("STORAGE_DIR", default=str(ROOT / "instance" / "storage"))
            ).resolve(),
            bsv_network=network,
            bsv_xpub=read.optional("BSV_XPUB"),
            bsv_address=read.optional("BSV_ADDRESS"),
            whatsonchain_url=read.parsed(
                "WHATSONCHAIN_URL",
                _base_url,
                default=f"{WHATSONCHAIN}/{'main' if network is Network.MAIN else 'test'}",
            ),
            whatsonchain_api_key=read.optional("WHATSONCHAIN_API_KEY"),
            whatsonchain_rate_per_second=read.decimal(
                "WHATSONCHAIN_RATE_PER_SECOND", "3", low="0.1", high="1000"
            ),
            rate_sources=read.parsed("RATE_SOURCES", _sources, default=DEFAULT_RATE_SOURCES),
            payment_window=timedelta(
                minutes=read.integer("PAYMENT_WINDOW_MINUTES", 120, low=1, high=7 * 24 * 60)
            ),
            watch_for=timedelta(days=read.integer("WATCH_DAYS", 7, low=1, high=365)),
            unconfirmed_limit=read.money("UNCONFIRMED_LIMIT_USD", "20"),
            one_confirmation_limit=read.money("ONE_CONFIRMATION_LIMIT_USD", "200"),
            tolerance_percent=read.decimal(
                "UNDERPAYMENT_TOLERANCE_PERCENT", "0.5", low="0", high="10"
            ),
            tolerance_limit=read.money("UNDERPAYMENT_TOLERANCE_USD", "0.50"),
            quote_margin_percent=read.decimal("QUOTE_MARGIN_PERCENT", "0", low="0", high="50"),
            download_limit=read.integer("DOWNLOAD_LIMIT", 5, low=1, high=10_000),
            download_days=read.integer("DOWNLOAD_DAYS", 30, low=1, high=36_500),
            session_days=read.integer("SESSION_DAYS", 14, low=1, high=365),
            mail_server=read.text("MAIL_SERVER", default="127.0.0.1"),
            mail_port=read.integer("MAIL_PORT", 25, low=1, high=65_535),
            mail_use_tls=read.boolean("MAIL_USE_TLS", default=False),
            mail_username=read.optional("MAIL_USERNAME"),
            mail_password=read.optional("MAIL_PASSWORD"),
            mail_from=read.text("MAIL_FROM", default="store@localhost"),
            trusted_proxies=read.integer("TRUSTED_PROXIES", 0, low=0, high=10),
            ratelimit_storage_url=read.text("RATELIMIT_STORAGE_URL", default="memory://"),
            download_accel_prefix=read.optional("DOWNLOAD_ACCEL_PREFIX"),
            sandbox_url=read.optional("SANDBOX_URL"),
            log_level=read.one_of("LOG_LEVEL", LogLevel, default="INFO").value,
        )
        _check(config, debug=read.boolean("FLASK_DEBUG", default=False))
        return config


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check(config: Config, *, debug: bool) -> None:
    """What no single variable shows."""
    if config.one_confirmation_limit < config.unconfirmed_limit:
        raise ConfigError("ONE_CONFIRMATION_LIMIT_USD: must not be below UNCONFIRMED_LIMIT_USD")
    if config.bsv_xpub and config.bsv_address:
        raise ConfigError("BSV_ADDRESS: give either BSV_XPUB or BSV_ADDRESS, not both")
    if not config.is_production:
        return
    if len(config.secret_key) < SECRET_KEY_LENGTH:
        raise ConfigError(
            f"SECRET_KEY: needs at least {SECRET_KEY_LENGTH} characters in production"
        )
    if not config.is_secure:
        raise ConfigError("PUBLIC_URL: must begin with https:// in production")
    if config.bsv_network is Network.SANDBOX:
        raise ConfigError(
            "BSV_NETWORK: the sandbox chain is play money; it does not run in production"
        )
    if debug:
        raise ConfigError("FLASK_DEBUG: must be off in production")


def _database_url(text: str) -> str:
    """A SQLAlchemy URL for one of the two databases the store runs on."""
    if text.startswith(
        ("postgres://", "postgresql://")
    ):  # what hosts hand out; psycopg 3 is the driver here
        text = "postgresql+psycopg://" + text.split("://", 1)[1]
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("use sqlite:///… or postgresql://…")
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("use http://host or https://host, without a query")
    return text.rstrip("/")


def _sources(text: str) -> Mapping[str, str]:
    sources: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, separator, url = entry.partition("=")
        if not separator or not url.startswith(("http://", "https://")):
            raise ValueError(f"“{entry}” is not name=url")
        if name.strip() in sources:
            raise ValueError(f"“{name.strip()}” stands twice")
        sources[name.strip()] = url.strip()
    return sources


class _Reader:
    """Reads one variable at a time and says which one was wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, *, default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None:
            raise ConfigError(f"{name}: is missing")
        if any(ord(character) < 32 for character in value):
            raise ConfigError(f"{name}: must be one line of text")
        return value

    def list(self, name: str) -> list[str]:
        return [part.strip() for part in self._environ.get(name, "").split(",") if part.strip()]

    def parsed(self, name: str, parse: Callable[[str], T], *, default: str) -> T:
        try:
            return parse(self.text(name, default=default))
        except ConfigError:
            raise
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from error

    def one_of(self, name: str, choices: type[E], *, default: str) -> E:
        value = self.text(name, default=default)
        try:
            return choices(value)
        except ValueError as error:
            raise ConfigError(f"{name}: “{value}” is none of {', '.join(choices)}") from error

    def boolean(self, name: str, *, default: bool) -> bool:
        value = (self.optional(name) or str(default)).lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise ConfigError(f"{name}: “{value}” is neither 1 nor 0")

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.decimal(name, str(default), low=str(low), high=str(high))
        if value != int(value):
            raise ConfigError(f"{name}: must be a whole number")
        return int(value)

    def decimal(self, name: str, default: str, *, low: str, high: str) -> Decimal:
        value = self.optional(name) or default
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise ConfigError(f"{name}: “{value}” is not a number") from error
        if not number.is_finite() or not Decimal(low) <= number <= Decimal(high):
            raise ConfigError(f"{name}: must lie between {low} and {high}")
        return number

    def money(self, name: str, default: str) -> Money:
        value = self.optional(name) or default
        try:
            amount = Money.parse(value, Currency.USD)
        except MoneyError as error:
            raise ConfigError(f"{name}: “{value}” is not an amount in USD") from error
        if amount.minor < 0:
            raise ConfigError(f"{name}: must not be negative")
        return amount
