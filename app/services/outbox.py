"""Letters are written down with the deed they tell of, and sent afterwards by the worker."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask_mail import Message
from sqlalchemy import ColumnElement, delete, select, update

from app import clock
from app.checkpoints import checkpoint
from app.extensions import db, reading
from app.mail.send import MailConnection, MailRefused, NoMailServer
from app.models import EmailStatus, Order, OutgoingEmail
from app.models.lifecycle import note
from app.services import letters
from app.services.database import insert_once
from app.wiring import settings, wiring

log = logging.getLogger(__name__)

stopping = threading.Event()  # set when this process was told to stop: finish the letter in hand

BATCH = 50
LEASE = timedelta(minutes=15)
SENDING = timedelta(minutes=10)  # of the lease; the rest is for the letter in hand, however slow
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
PERSIST_FOR = timedelta(days=3)  # after which a letter is given up
NEVER = 3  # permanent refusals until then


def queue(
    letter: str,
    *,
    to: str,
    key: str,
    order: Order | None = None,
    facts: Mapping[str, Any] | None = None,
    after: timedelta = timedelta(0),
) -> None:
    """Write a letter down, once per key, to be sent `after` a while."""
    domain = settings().mail_from.rpartition("@")[2]
    row = {
        "key": key,
        "letter": letter,
        "to": to,
        "order_id": order and order.id,
        "facts": dict(facts or {}),
        "status": EmailStatus.QUEUED,
        "attempts": 0,
        "due_at": clock.now() + after,
        "message_id": f"<{uuid4()}@{domain}>",
        "created_at": clock.now(),
    }
    db.session.execute(insert_once(OutgoingEmail, row, on="key"))
    checkpoint("mail-queued")


def withdraw(key: str) -> None:
    """Take back a letter that has not left yet and is no longer true."""
    db.session.execute(
        delete(OutgoingEmail).where(
            OutgoingEmail.key == key,
            OutgoingEmail.status.in_((EmailStatus.QUEUED, EmailStatus.FAILED)),
        )
    )


def deliver_due(*, limit: int = BATCH) -> int:
    """Send the letters that are due, each in a transaction of its own; say how many were tried."""
    if not _anything_due():
        return 0
    ids, enough = _claim(limit), clock.now() + SENDING
    db.session.commit()
    checkpoint("mail-claimed")
    tried = 0
    try:
        with wiring().mailer.batch() as connection:
            for id_ in ids:
                if stopping.is_set() or clock.now() > enough:
                    break
                _deliver(id_, connection)
                tried += 1
    except NoMailServer as refusal:  # no letter's fault, so none is charged with it
        log.warning("mail server not reached: %s", refusal)
    finally:  # also when told to stop: the letter in hand was finished, the others go back
        if ids[tried:]:
            db.session.rollback()
            _give_back(ids[tried:])
            db.session.commit()
    return tried


def _deliver(id_: int, connection: MailConnection) -> None:
    """Send one letter and write down how it went; nothing is held while the server is spoken to."""
    try:
        message = _compose(id_)
        if message is None:
            return
        connection.send(message)
    except NoMailServer:
        raise
    except MailRefused as refusal:
        _postpone(id_, refusal)
    except Exception as error:  # one letter that cannot be sent must not hold the others up
        log.exception("letter %s cannot be sent", id_)
        _postpone(id_, MailRefused(f"cannot be sent: {type(error).__name__}"))
    else:
        checkpoint("mail-accepted")
        _sent(id_)
    db.session.commit()
    checkpoint("mail-committed")


def _compose(id_: int) -> Message | None:
    """The letter itself, unless it was taken back; one that cannot be written is refused."""
    with reading():
        try:
            email = db.session.get(OutgoingEmail, id_)
            return None if email is None else letters.compose(email)
        except Exception as error:  # one broken letter must not stop the others
            log.exception("letter %s cannot be written", id_)
            raise MailRefused(f"cannot be written: {type(error).__name__}") from error
        finally:
            db.session.rollback()


def _anything_due() -> bool:
    """A look without the write lock, since mostly there is nothing."""
    with reading():
        due = db.session.scalar(
            select(OutgoingEmail.id).where(OutgoingEmail.due_at <= clock.now()).limit(1)
        )
        db.session.rollback()
    return due is not None


def _claim(limit: int) -> list[int]:
    """Lease due letters, so that no other worker takes them meanwhile."""
    due = (
        select(OutgoingEmail.id)
        .where(OutgoingEmail.due_at <= clock.now())
        .order_by(OutgoingEmail.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(OutgoingEmail)
        .where(OutgoingEmail.id.in_(due))
        .values(due_at=clock.now() + LEASE)
        .returning(OutgoingEmail.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(db.session.scalars(claim))


def _give_back(ids: list[int]) -> None:
    _set(OutgoingEmail.id.in_(ids), due_at=clock.now() + FIRST_RETRY)


def _sent(id_: int) -> None:
    email = db.session.get(OutgoingEmail, id_)
    if email is None:  # taken back while it left
        return
    email.status, email.sent_at, email.due_at, email.last_error = (
        EmailStatus.SENT,
        clock.now(),
        None,
        None,
    )
    email.attempts += 1
    if email.order:
        note(email.order, email, why=f"letter “{email.letter}” sent", now=EmailStatus.SENT)


def _postpone(id_: int, refusal: MailRefused) -> None:
    """Try again later, ever more slowly; give up when the server says never, or after days."""
    email = db.session.get(OutgoingEmail, id_)
    if email is None:
        return
    email.attempts += 1
    email.last_error = str(refusal)[:500]
    too_old = clock.now() - email.created_at > PERSIST_FOR
    if too_old or (refusal.permanent and email.attempts >= NEVER):
        email.status, email.due_at = EmailStatus.GIVEN_UP, None
        log.error("letter %s given up: %s", email.id, refusal)
        if email.order:
            note(
                email.order,
                email,
                why=f"letter “{email.letter}” given up",
                now=EmailStatus.GIVEN_UP,
            )
        return
    email.status = EmailStatus.FAILED
    wait = min(FIRST_RETRY * 2 ** min(email.attempts - 1, 10), LAST_RETRY)
    email.due_at = clock.now() + wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


def _set(which: ColumnElement[bool], **values: Any) -> None:
    db.session.execute(
        update(OutgoingEmail)
        .where(which)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
