"""Whether a page is valid HTML, said by the Nu HTML Checker running beside the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from sandbox.settings import HOST, ROOT

JAR = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
PATIENCE_SECONDS = 60


class Validator:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._url = f"http://{HOST}:{port}/"
        self._session = requests.Session()
        self._session.trust_env = False

    def faults(self, html: str) -> list[str]:
        """What is wrong with the page, a sentence each. The first page waits for the start."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._ask(html)
            except (requests.ConnectionError, requests.Timeout):
                assert self._process.poll() is None, "the checker of HTML ended"
                assert time.monotonic() < deadline, "the checker of HTML does not answer"
                time.sleep(0.2)

    def _ask(self, html: str) -> list[str]:
        answer = self._session.post(
            self._url,
            params={"out": "json"},
            data=html.encode(),
            headers={"Content-Type": "text/html; charset=utf-8"},
            timeout=10,
        )
        answer.raise_for_status()
        return [
            f"line {message.get('lastLine')}: {message['message']}"
            for message in answer.json()["messages"]
            if message["type"] != "info" or message.get("subType") == "warning"
        ]


def missing() -> str:
    """What this machine lacks for it, as a sentence; nothing when all is there."""
    if shutil.which("java") is None:
        return "no Java here: pages are not checked for valid HTML"
    if not JAR.exists():
        return "no checker here (npm install): pages are not checked for valid HTML"
    return ""


@contextmanager
def running() -> Iterator[Validator]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = ["java", f"-Dnu.validator.servlet.bind-address={HOST}", "-cp", str(JAR)]
    process = subprocess.Popen(
        [*command, "nu.validator.servlet.Main", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    try:
        yield Validator(process, port)
    finally:
        process.terminate()
        process.wait(timeout=20)
