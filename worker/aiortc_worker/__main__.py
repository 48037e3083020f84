"""`python -m aiortc_worker --socket PATH`: serves sessions until stdin closes.

One JSON line on stdout says that it listens; what goes wrong is logged to stderr (logs.py). Each line
`{"ping":n}` on stdin is answered by the event loop with a line on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import threading
from typing import Final

from . import logs
from .session import collector, health
from .session.server import Server

SECRET_VARIABLE: Final = "AIORTC_WORKER_SECRET"
"With --tcp: what the first frame of each connection must be."


def main() -> None:
    logs.ensure_open()
    parser = argparse.ArgumentParser(prog="aiortc_worker", description="Serves WebRTC sessions to a bridge.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", metavar="PATH", help="listen at this Unix socket, which lies in a private directory")
    where.add_argument("--tcp", action="store_true", help=f"listen at a loopback port; needs {SECRET_VARIABLE}")
    parser.add_argument("--log-level", choices=tuple(logs.LEVELS), default="info", help="the least that is logged")
    parser.add_argument("--debug", action="store_true", help="log tracebacks, and send them with errors")
    options = parser.parse_args()
    secret = os.environ.pop(SECRET_VARIABLE, None)
    if options.tcp and not secret:
        parser.error(f"--tcp needs {SECRET_VARIABLE}")
    handler = logs.install(options.log_level, options.debug)
    if not os.isatty(0):
        # Ctrl-C in a terminal reaches the bridge too, which ends its sessions in order and then this process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*collector.THRESHOLDS)
    status = 0
    try:
        _new_loop().run_until_complete(_serve(options.socket, secret if options.tcp else None, options.debug, handler))
    except KeyboardInterrupt:
        pass
    except Exception:
        logging.getLogger(__name__).exception("the worker cannot go on", extra={"kind": "worker-ends"})
        status = 1
    if options.socket:
        with contextlib.suppress(OSError):
            os.unlink(options.socket)
            # The bridge made the directory for this socket alone, and may be gone.
            os.rmdir(os.path.dirname(options.socket))
    # A thread that hangs in a system call, in name resolution say, must not keep the process alive.
    handler.turn()
    os._exit(status)


async def _serve(path: str | None, secret: str | None, debug: bool, handler: logs.StderrHandler) -> None:
    loop = asyncio.get_running_loop()
    server = Server(secret, debug)
    where = await server.listen(path)
    with contextlib.suppress(OSError):
        os.write(1, json.dumps({"ready": {**where, "pid": os.getpid()}}).encode() + b"\n")
    logs.every_minute(loop, handler)
    server.warm_up()
    ended = asyncio.Event()
    threading.Thread(target=health.serve, args=(loop, ended), name="stdin", daemon=True).start()
    await ended.wait()
    await server.stop()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
