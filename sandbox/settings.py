"""What the store is told when it runs in the sandbox: everything, so that nothing else leaks in."""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SOURCES = ("whatsonchain", "coingecko", "gate")
KEPT = ("SECRET_KEY", "BSV_XPUB")  # made once; whatever was sold depends on them
ACCOUNTS = {"admin": "admin@example.org", "buyer": "buyer@example.org"}


@dataclass(frozen=True, slots=True)
class Ports:
    """The store's port and, beside it, those of its sandbox."""

    store: int

    @property
    def sandbox(self) -> int:
        return self.store + 1

    @property
    def smtp(self) -> int:
        return self.store + 2

    @property
    def store_url(self) -> str:
        return f"http://{HOST}:{self.store}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox}"


def settle(directory: Path, ports: Ports) -> dict[str, str]:
    """The store's settings, also written to `store.env`; its key and its coins stay the same."""
    file = directory / "store.env"
    kept = _read(file)
    settings = {
        "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "SECRET_KEY_FALLBACKS": "",
        "BSV_NETWORK": "sandbox",
        "BSV_XPUB": kept.get("BSV_XPUB") or _merchant_xpub(directory),
        "BSV_ADDRESS": "",
        "DATABASE_URL": f"sqlite:///{directory / 'store.db'}",
        "STORAGE_DIR": str(directory / "storage"),
        "STORE_NAME": "Satchel",
        "PUBLIC_URL": ports.store_url,
        "SANDBOX_URL": ports.sandbox_url,
        "WHATSONCHAIN_URL": f"{ports.sandbox_url}/v1/bsv/test",
        "WHATSONCHAIN_API_KEY": "",
        "RATE_SOURCES": ",".join(f"{name}={ports.sandbox_url}/rates/{name}" for name in SOURCES),
        "MAIL_SERVER": HOST,
        "MAIL_PORT": str(ports.smtp),
        "MAIL_USE_TLS": "0",
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "MAIL_FROM": "store@example.org",
        "TRUSTED_PROXIES": os.environ.get("TRUSTED_PROXIES", "0"),
        "RATELIMIT_STORAGE_URL": "memory://",
        "DOWNLOAD_ACCEL_PREFIX": "",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }
    private(file, "".join(f"{name}={_quoted(value)}\n" for name, value in settings.items()))
    return settings


def environment(settings: dict[str, str]) -> dict[str, str]:
    """This process's environment with the store's settings in it."""
    return (
        os.environ | settings | {"FLASK_APP": "wsgi", "FLASK_DEBUG": "0", "PYTHONUNBUFFERED": "1"}
    )


def passwords(directory: Path) -> dict[str, str]:
    """The demonstration accounts' passwords, made at the first start."""
    file = directory / "passwords.json"
    if not file.exists():
        made = {name: secrets.token_urlsafe(12) for name in ACCOUNTS}
        private(file, json.dumps(made, indent=2) + "\n")
    known: dict[str, str] = json.loads(file.read_text("utf-8"))
    return known


def private(file: Path, text: str) -> None:
    """Write a file that nobody else on this machine may read, all of it or nothing."""
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text)
    fresh.replace(file)


def _merchant_xpub(directory: Path) -> str:
    """The key the store watches, from a process of its own: the library it takes loads slowly."""
    command = [sys.executable, "-m", "sandbox.keys", "--dir", str(directory)]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def _quoted(value: str) -> str:
    """As a shell and python-dotenv both read it."""
    return json.dumps(value) if "'" in value else f"'{value}'"


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    lines = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    return {name: value.strip("'") for name, _, value in lines if name in KEPT}
