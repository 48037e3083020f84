"""Calls: one after another on an object, side by side on different ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from .entry import Entry, PendingCall
from .remote import Call, CallError
from .wire import Envelope

if TYPE_CHECKING:
    from .session import Session

CLOSED: Final = CallError("InvalidStateError", "the object was closed")


class Calls:
    """The calls of a session that have not been answered."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pending = 0

    def take(self, number: int, envelope: Envelope, entry: Entry | None, started: Callable[[], None]) -> bool:
        """Takes a call; whether it starts in the next turn of the loop, where `started` is called once it has."""
        try:
            if entry is None:
                raise CallError("InvalidStateError", f"no object {envelope.on}")
            if self._pending >= self._session.limits.pending_calls:
                raise CallError("OperationError", f"{self._pending} calls are pending already")
            row = entry.row(envelope.do)
            params = entry.decode(row.takes, envelope.in_)
        except Exception as error:
            self._refuse(entry, number, error, envelope.do)
            return False
        self._pending += 1
        entry.calls.append(PendingCall(number, row, params))
        if entry.running is not None:
            return False
        loop = asyncio.get_running_loop()
        entry.running = loop.create_task(self._run(entry), context=entry.context)
        loop.call_soon(started)
        return True

    def abandon(self, entry: Entry) -> None:
        """Refuses what an object was called for and will not do: it is closing."""
        if entry.running is not None:
            entry.running.cancel()
        while entry.calls:
            pending = entry.calls.popleft()
            self._pending -= 1
            self._refuse(None, pending.number, CLOSED, pending.row.name)

    async def _run(self, entry: Entry) -> None:
        try:
            while entry.calls:
                pending = entry.calls.popleft()
                try:
                    await self._answer(entry, pending)
                finally:
                    self._pending -= 1
        finally:
            entry.running = None

    async def _answer(self, entry: Entry, pending: PendingCall) -> None:
        number, row, params = pending
        try:
            out = await _invoke(entry, row, params)
        except Exception as error:
            self._refuse(entry, number, error, row.name)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                # Something that the call awaited was cancelled, not the call.
                self._refuse(entry, number, error, row.name)
                return
            self._refuse(entry, number, CLOSED, row.name)
            raise
        else:
            self._session.reply(entry, {"reply": number, "out": out if out is not None else {}})

    def _refuse(self, entry: Entry | None, number: int, error: BaseException, what: str) -> None:
        self._session.reply(entry, {"reply": number, "error": self._session.describe(error, what)})


async def _invoke(entry: Entry, row: Call, params: Struct) -> Struct | None:
    remote = entry.need()
    return await (row.method(remote, params) if row.has_params else row.method(remote))
