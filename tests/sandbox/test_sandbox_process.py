import http.client
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.keys import merchant_xpub

ROOT = Path(__file__).parent.parent.parent


def two_free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    port, smtp_port = two_free_ports()
    options = ["--port", str(port), "--smtp-port", str(smtp_port), "--dir", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "sandbox", *options], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline().startswith(b"Sandbox on")
        yield process, port, smtp_port
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_serves_pages_and_mail_and_stops_when_asked(running):
    process, port, smtp_port = running
    assert ask(port, "GET", "/ready")[0] == 200
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as server:
        assert server.noop()[0] == 250
    ask(port, "POST", "/faults", "name=explorer&value=closed")
    with pytest.raises(http.client.RemoteDisconnected):
        ask(port, "GET", "/v1/bsv/test/chain/info")
    ask(port, "POST", "/faults", "name=explorer&value=half")
    with pytest.raises(http.client.IncompleteRead):
        ask(port, "GET", "/v1/bsv/test/chain/info")
    ask(port, "POST", "/chain/auto", "on=1&seconds=1")
    deadline = time.monotonic() + 4
    while b'"blocks":110' in (ready := ask(port, "GET", "/ready")[1]):
        assert time.monotonic() < deadline, ready
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0


def test_keys_are_told_without_a_server_and_stay_the_same(tmp_path: Path):
    command = [sys.executable, "-m", "sandbox.keys", "--dir", str(tmp_path / "new")]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert first.startswith("tpub")
    assert first.strip() == merchant_xpub(tmp_path / "new")
    assert (tmp_path / "new" / "seed.hex").stat().st_mode & 0o077 == 0


def test_the_sandbox_knows_nothing_of_the_store():
    code = (
        "import sys, sandbox.__main__; sys.exit(any(m.split('.')[0] == 'app' for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
