"""Loaded into the workers of a bridge under test: SIGUSR1 makes the event loop run a loop without end."""

import signal


def _loop(*_: object) -> None:
    while True:
        pass


signal.signal(signal.SIGUSR1, _loop)
