"""Serves the sandbox: `python -m sandbox --port 5001 --smtp-port 5002 --dir instance/sandbox`."""

import argparse
import logging
import signal
from pathlib import Path
from threading import Event, Thread
from types import FrameType

from flask import Flask
from werkzeug.serving import make_server

from sandbox.app import create_sandbox
from sandbox.mailbox import MailServer
from sandbox.world import World

HOST = "127.0.0.1"
TICK_SECONDS = 0.5
FIRST_AUTO_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="A simulated world, in play money."
    )
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--smtp-port", type=int, default=5002)
    parser.add_argument("--dir", type=Path, default=Path("instance/sandbox"))
    parser.add_argument(
        "--auto-seconds",
        type=float,
        help="a block this often, 0 for none by itself (else as it was last, at first 30)",
    )
    options = parser.parse_args()
    if options.auto_seconds is None and not (options.dir / "chain.sqlite3").exists():
        options.auto_seconds = FIRST_AUTO_SECONDS
    serve(
        create_sandbox(options.dir, auto_seconds=options.auto_seconds),
        port=options.port,
        smtp_port=options.smtp_port,
    )


def serve(app: Flask, *, port: int, smtp_port: int) -> None:
    """Serve pages and letters until SIGTERM or SIGINT."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    world: World = app.extensions["sandbox"]
    stopping = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    mail = MailServer(world.mailbox, world.faults, port=smtp_port)
    pages = make_server(HOST, port, app, threaded=True)
    mail.start()
    serving = Thread(target=pages.serve_forever, daemon=True)
    serving.start()
    print(f"Sandbox on http://{HOST}:{port}/, mail on port {smtp_port}", flush=True)
    while not stopping.wait(TICK_SECONDS):
        world.chain.tick()
    pages.shutdown()
    serving.join(timeout=5)
    pages.server_close()
    mail.stop()
    world.chain.close()
    world.mailbox.close()


if __name__ == "__main__":
    main()
