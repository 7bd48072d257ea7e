"""A store that is set up dangerously does not start, and says why in one line (row W11)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PRODUCTION = {"SECRET_KEY": "k" * 40, "PUBLIC_URL": "https://shop.example"}
WRONG = {
    "SECRET_KEY": ["", "short"],
    "PUBLIC_URL": ["http://shop.example", "shop.example"],
    "BSV_NETWORK": ["sandbox"],
    "FLASK_DEBUG": ["1"],
    "DATABASE_URL": ["mysql://root@host/db"],
    "BSV_XPUB": ["xprv9s21ZrQH143K"],
}


def start(command: list[str], folder: Path, **wrong: str) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/store.db",
        "STORAGE_DIR": str(folder),
        **PRODUCTION,
        **wrong,
    }
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def said(process: subprocess.Popen[str], *, ours: str = "Traceback") -> list[str]:
    """What a program wrote until it ended; it must end by itself, unhappily, without `ours`."""
    began = time.perf_counter()
    try:
        out, _ = process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert time.perf_counter() - began < 10
    assert process.returncode != 0
    assert ours not in out
    return [line for line in out.splitlines() if "Satchel cannot start" in line]


@pytest.mark.parametrize("name", WRONG)
def test_no_command_runs_under_a_dangerous_setting(name: str, tmp_path: Path) -> None:
    command = [str(BIN / "flask"), "--app", "wsgi", "routes"]
    for value in WRONG[name]:
        (line,) = said(start(command, tmp_path, **{name: value}))
        assert name in line
        assert "xprv" not in line  # a private key is never repeated


def test_a_server_with_many_workers_gives_up_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(BIN / "gunicorn"), "wsgi:app", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    # gunicorn 27 shows where in itself it was when two workers give up in the same moment
    lines = said(start(command, tmp_path, SECRET_KEY="short"), ours=f"{ROOT}/wsgi.py")
    assert 1 <= len(lines) <= 2  # each worker may have come so far
    assert all("SECRET_KEY" in line for line in lines)
