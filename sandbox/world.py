"""The parts of the simulated world, as the pages find them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from sandbox.chain import Chain
    from sandbox.faults import Faults, Throttle
    from sandbox.mailbox import Mailbox
    from sandbox.wallet import Wallet


@dataclass(frozen=True, slots=True)
class World:
    chain: "Chain"
    wallet: "Wallet"
    mailbox: "Mailbox"
    faults: "Faults"
    throttle: "Throttle"
    clock: Callable[[], float]


def world() -> World:
    return cast(World, current_app.extensions["sandbox"])


def wants_json() -> bool:
    offered = ["text/html", "application/json"]
    return request.accept_mimetypes.best_match(offered) == "application/json"


def answer_act(facts: dict[str, Any], message: str, page: str) -> ResponseReturnValue:
    """Tell a program the facts, and a person the message on the page they acted from."""
    if wants_json():
        return jsonify(facts)
    flash(message)
    came_from = request.referrer or ""
    here = came_from.startswith(request.host_url)
    return redirect(came_from if here else url_for(page), 303)
