import socket

import pytest


def test_no_test_reaches_beyond_this_machine() -> None:
    with pytest.raises(UserWarning, match="A test tried to use"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_tests_may_talk_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
