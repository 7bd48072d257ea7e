"""A mail server that delivers every letter to one mailbox, kept beside the chain."""

import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Lock
from typing import Any, AnyStr, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.faults import Faults

SCHEMA = """
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, date TEXT NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, raw BLOB NOT NULL
)
"""
MAX_LETTER_BYTES = 30 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    id: int
    to: list[str]
    sender: str
    subject: str
    date: str
    text: str
    html: str
    message_id: str
    source: str

    def facts(self) -> dict[str, Any]:
        """What programs are told of it."""
        facts = asdict(self)
        facts["from"] = facts.pop("sender")
        return {name: value for name, value in facts.items() if name not in {"html", "source"}}


def _letter(row: tuple[int, str, str, str, bytes]) -> Letter:
    number, date, sender, recipients, raw = row
    message = message_from_bytes(raw, policy=policy.default)
    return Letter(
        id=number,
        to=recipients.split("\n"),
        sender=str(message["From"] or sender),
        subject=str(message["Subject"] or ""),
        date=date,
        text=_body(message, "plain"),
        html=_body(message, "html"),
        message_id=str(message["Message-ID"] or "").strip(),
        source=raw.decode("utf-8", "replace"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    return str(cast(EmailMessage, part).get_content()).replace("\r\n", "\n")


class Mailbox:
    """All letters, newest first."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._lock = Lock()
        self._db = sqlite3.connect(directory / "mailbox.sqlite3", check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def put(self, sender: str, recipients: list[str], raw: bytes) -> None:
        date = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO letters (date, sender, recipients, raw) VALUES (?,?,?,?)",
                (date, sender, "\n".join(recipients), raw),
            )

    def letters(self, *, to: str = "", limit: int = 200) -> list[Letter]:
        query = """
            SELECT id, date, sender, recipients, raw FROM letters
            WHERE ? = '' OR instr(char(10) || lower(recipients) || char(10), ?)
            ORDER BY id DESC LIMIT ?
        """
        wanted = to.strip().lower()
        with self._lock:
            rows = self._db.execute(query, (wanted, f"\n{wanted}\n", limit)).fetchall()
        return [_letter(row) for row in rows]

    def letter(self, number: int) -> Letter | None:
        query = "SELECT id, date, sender, recipients, raw FROM letters WHERE id = ?"
        with self._lock:
            row = self._db.execute(query, (number,)).fetchone()
        return _letter(row) if row else None

    def empty(self) -> None:
        with self._lock, self._db:
            self._db.execute("DELETE FROM letters")


class MoodyServer(SMTP):
    """A mail server that, on a bad day, greets with a refusal."""

    async def push(self, status: AnyStr) -> None:
        handler = cast(Postman, self.event_handler)
        if handler.faults["mail"] == "refuse":
            await super().push("421 4.3.2 Service not available, closing connection")
            if self.transport is not None:
                self.transport.close()
            return
        await super().push(status)


class Postman:
    """Puts what arrives into the mailbox, unless today's faults forbid it."""

    def __init__(self, mailbox: Mailbox, faults: Faults) -> None:
        self.mailbox = mailbox
        self.faults = faults

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        only = self.faults["mail_recipient"].lower()
        if not only or only == address.lower():
            match self.faults["mail"]:
                case "defer":
                    return "450 4.2.1 Mailbox busy, try again later"
                case "reject":
                    return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        self.mailbox.put(envelope.mail_from or "", list(map(str, envelope.rcpt_tos)), raw)
        return "250 OK"


class MailServer(Controller):
    """The mail server on its own thread: start() and stop()."""

    def __init__(self, mailbox: Mailbox, faults: Faults, *, port: int) -> None:
        super().__init__(Postman(mailbox, faults), hostname="127.0.0.1", port=port)

    def factory(self) -> SMTP:
        return MoodyServer(
            self.handler,
            hostname="sandbox",
            ident="sandbox",
            data_size_limit=MAX_LETTER_BYTES,
            enable_SMTPUTF8=True,
        )
