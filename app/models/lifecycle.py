"""A life cycle is a table; state changes only by `move_to`, and every change leaves an event."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app import clock
from app.models.event import Event

if TYPE_CHECKING:
    from app.models.order import Order


class IllegalMove(Exception):
    """A change of state that the life cycle does not know."""


def transition(
    thing: Any,
    order: Order,
    table: Mapping[Any, set[Any]],
    to: StrEnum,
    *,
    why: str,
    who: str = "store",
) -> None:
    """Move `thing` to another state if `table` allows it, and write that into the history."""
    if to not in table[thing.status]:
        raise IllegalMove(f"{type(thing).__name__} does not go from {thing.status} to {to}")
    note(order, thing, was=thing.status, now=to, why=why, who=who)
    thing.status = to


def note(
    order: Order,
    thing: Any,
    *,
    why: str,
    was: str | None = None,
    now: str | None = None,
    who: str = "store",
) -> None:
    """Write something down in the order's history."""
    order.events.append(
        Event(
            subject=type(thing).__name__.lower(),
            subject_id=thing.id,
            was=was and str(was),
            now=now and str(now),
            why=why,
            who=who,
            at=clock.now(),
        )
    )
