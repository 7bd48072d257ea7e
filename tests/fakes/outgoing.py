"""A mail server with memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask_mail import Message

from app.mail.send import MailRefused, NoMailServer


class Outgoing:
    """Keeps every letter; refuses what a test tells it to."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.is_down = False
        self.refuses: dict[str, MailRefused] = {}  # by recipient

    @contextmanager
    def batch(self) -> Iterator[Outgoing]:
        if self.is_down:
            raise NoMailServer("connection refused")
        yield self

    def send(self, message: Message) -> None:
        if self.is_down:
            raise NoMailServer("connection lost")
        for recipient in message.recipients:
            if recipient in self.refuses:
                raise self.refuses[str(recipient)]
        self.letters.append(message)

    def to(self, address: str) -> list[Message]:
        """The letters one person got."""
        return [letter for letter in self.letters if address in letter.recipients]


def links(message: Message) -> list[str]:
    """Every link in a letter's text."""
    return re.findall(r"https?://\S+", message.body or "")
