"""Puts the simulated world together."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, jsonify, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, SecurityError

from sandbox import chain_pages, explorer, faults, mailbox_pages, rates, wallet_pages
from sandbox.chain import Chain
from sandbox.faults import Faults, Throttle
from sandbox.keys import shopper_key
from sandbox.mailbox import Mailbox
from sandbox.wallet import Wallet, in_bsv
from sandbox.world import World, wants_json, world

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'"
)


def create_sandbox(
    directory: Path, *, clock: Callable[[], float] = time.time, auto_seconds: float | None = None
) -> Flask:
    """The sandbox over its directory, which is made and filled when it is new."""
    key = shopper_key(directory)
    chain = Chain(directory, miner=key.public_key_hash, clock=clock)
    if auto_seconds is not None:
        chain.mine_every(auto_seconds)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="sandbox",  # cookies know no ports: the store's keeps its name
        SESSION_COOKIE_SAMESITE="Lax",
        TRUSTED_HOSTS=["127.0.0.1", "localhost"],
    )
    app.extensions["sandbox"] = World(
        chain=chain,
        wallet=Wallet(chain, key),
        mailbox=Mailbox(directory, clock),
        faults=Faults(),
        throttle=Throttle(clock),
        clock=clock,
    )
    for module in (chain_pages, wallet_pages, mailbox_pages, faults, explorer, rates):
        app.register_blueprint(module.bp)
    app.add_template_filter(in_bsv, "in_bsv")
    app.add_template_filter(_moment, "moment")
    app.before_request(_tick)
    app.after_request(_guard)
    app.register_error_handler(HTTPException, _refusal)
    return app


def _tick() -> None:
    world().chain.tick()


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or isinstance(error, SecurityError):
        return error.get_response()  # made elsewhere, or for a host that has no pages here
    if wants_json():
        return jsonify(error=error.description), error.code or 500
    return render_template("refusal.html", error=error), error.code or 500


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
