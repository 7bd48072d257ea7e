"""Named places where a test may kill the process; in production every call does nothing.

`SATCHEL_KILL_AT=name` (or `name:3` for the third passage) sends SIGKILL to this very process, so
that nothing is cleaned up: what is on disk then is what a power cut would have left.
"""

import os
import signal

_ARMED, _, _COUNT = os.environ.get("SATCHEL_KILL_AT", "").partition(":")
_passages_left = int(_COUNT or 1)


def checkpoint(name: str) -> None:
    """Die here if a test asked for it."""
    if not _ARMED or name != _ARMED:
        return
    global _passages_left  # noqa: PLW0603 - a counter of this process, armed only by tests
    _passages_left -= 1
    if _passages_left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
