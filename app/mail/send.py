"""How letters leave: SMTP through Flask-Mail, with the server's certificate checked and a time-out.

Flask-Mail 0.10 gives the password to any server and waits for ever; `_Connection` does neither.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from flask import current_app
from flask_mail import BadHeaderError, Connection, Message

TIMEOUT_SECONDS = 10


class MailRefused(Exception):
    """The server did not take a letter; `permanent` when it says that it never will."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent


class NoMailServer(MailRefused):
    """Nobody to hand letters to; no letter's fault."""


class MailConnection(Protocol):
    def send(self, message: Message) -> None:
        """Hand one letter over; MailRefused when it is not taken."""
        ...


class Mailer(Protocol):
    def batch(self) -> AbstractContextManager[MailConnection]:
        """A connection for several letters; NoMailServer when there is none."""
        ...


class _Connection(Connection):
    def configure_host(self) -> smtplib.SMTP:
        state = self.mail
        host = smtplib.SMTP(state.server, state.port, timeout=TIMEOUT_SECONDS)
        if state.use_tls:
            host.starttls(context=ssl.create_default_context())
        if state.username and state.password:
            host.login(state.username, state.password)
        return host


class _Session:
    """One open connection, made anew when the server has closed it."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def send(self, message: Message) -> None:
        try:
            self._connection.send(message)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                raise self._refused(error) from error
            raise NoMailServer(f"connection lost: {error}") from error
        except (BadHeaderError, UnicodeError, ValueError) as error:
            raise MailRefused(f"not a letter: {error}", permanent=True) from error

    def _refused(self, error: smtplib.SMTPException) -> MailRefused:
        with contextlib.suppress(smtplib.SMTPException):
            if self._connection.host is not None:
                self._connection.host.rset()
        code, text = _code(error)
        if code == 421:  # the server closes the channel: RFC 5321, 3.8
            return NoMailServer(f"{code} {text}")
        return MailRefused(f"{code} {text}", permanent=code >= 500)


def _code(error: smtplib.SMTPException) -> tuple[int, str]:
    code: int = 450
    text: bytes | str = str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    return code, text.decode("utf-8", "replace") if isinstance(text, bytes) else text


class Smtp:
    """The mail server of the settings."""

    @contextmanager
    def batch(self) -> Iterator[MailConnection]:
        """A connection that several letters share."""
        connection = _Connection(current_app.extensions["mail"])
        try:
            connection.__enter__()
        except (OSError, smtplib.SMTPException) as error:
            raise NoMailServer(f"{type(error).__name__}: {error}") from error
        try:
            yield _Session(connection)
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.__exit__(None, None, None)  # type: ignore[arg-type]  # its types forget None
