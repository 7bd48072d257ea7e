"""`flask worker`: what happens without anybody looking.

The work is rows in our own database, claimed with a lease; APScheduler only says when to look for
it, so a killed worker loses nothing and several may run.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from types import FrameType

import click
from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.services import invariants, orders, outbox, payments, upkeep

log = logging.getLogger(__name__)


def _expire() -> None:
    orders.expire_abandoned()
    db.session.commit()


def _report() -> None:
    invariants.report()


JOBS: tuple[tuple[Callable[[], object], float], ...] = (
    (payments.check_due, 1),
    (outbox.deliver_due, 1),
    (upkeep.run, 20),
    (_expire, 60),
    (_report, 300),
)  # what, and every how many seconds


@click.command()
@pass_script_info
def worker(info: ScriptInfo) -> None:
    """Watch payments, send letters, keep rates fresh, until told to stop."""
    app = info.load_app()  # a thread needs the app itself, not what stands for it
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it tells of every second
    scheduler = BlockingScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job, seconds in JOBS:
        scheduler.add_job(_in_app(app, job), "interval", seconds=seconds, id=job.__qualname__)
    scheduler.add_job(_in_app(app, upkeep.run), id="first upkeep")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        log.info("worker is told to stop; the work in hand is finished first")
        outbox.stopping.set()
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("worker starts")
    scheduler.start()
    log.info("worker has stopped")


def _in_app(app: Flask, job: Callable[[], object]) -> Callable[[], None]:
    """The job in a context and session of its own; its failure is logged, and it is tried again."""

    def run() -> None:
        with app.app_context():
            try:
                job()
            except OperationalError as error:
                log.warning("%s: the database is not to be had: %s", job.__qualname__, error.orig)
            except Exception:
                log.exception("%s failed", job.__qualname__)

    return run
