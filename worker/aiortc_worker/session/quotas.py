"""A session's share of its worker: budgets that have a name, a default, an option, and an error that says all three.

An `Amount` is what may be held at once, and refuses what is beyond. A `Rate` is what may be done in a second, and makes
wait. Each says once in a session that it was reached, and counts how often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from .remote import CallError
from .wire import Limits

BURST: Final = 1.0
"Seconds' worth of a rate that may be used at once after a rest."

Tell = Callable[[str], None]


class Usage(Struct, frozen=True):
    """How a quota is used."""

    limit: int
    used: int
    "Held now; of a rate, spent in all."
    refused: int
    "How often something was refused, dropped or kept waiting."


class Quota:
    """A budget by its name among `Limits`, as the wire has it; `what` completes "A session may …"."""

    def __init__(self, name: str, limit: int, what: str, tell: Tell) -> None:
        self.name = name
        self.limit = limit
        self.refused = 0
        self._what = what
        self._tell = tell

    @property
    def message(self) -> str:
        """What whoever meets the quota is told."""
        option = f"{self.name}=NUMBER"
        raised = f"--limit {option} of the bridge, or AIORTC_SHIM_LIMITS={option} for an embedded one"
        return f"A session may {self._what.format(limit=self.limit)}; to raise it: {raised}"

    def refuse(self) -> None:
        """Counts a refusal, and tells of the first."""
        self.refused += 1
        if self.refused == 1:
            self._tell(self.message)


class Amount(Quota):
    """What may be held at once; beyond, CallError `error`."""

    def __init__(self, name: str, limit: int, what: str, tell: Tell, error: str) -> None:
        super().__init__(name, limit, what, tell)
        self.held = 0
        self._error = error

    @property
    def usage(self) -> Usage:
        return Usage(self.limit, self.held, self.refused)

    def hold(self, amount: int = 1, error: str | None = None) -> Hold:
        """Takes a share; raises CallError, of the quota's name or of `error`, when it is not there."""
        hold = self.try_hold(amount)
        if hold is None:
            raise self.failure(error)
        return hold

    def try_hold(self, amount: int = 1) -> Hold | None:
        """As `hold`, for what is dropped when the share is not there."""
        hold = Hold(self)
        return hold if hold.grow(amount) else None

    def failure(self, error: str | None = None) -> CallError:
        """The error of whoever is refused."""
        return CallError(error or self._error, self.message)


class Hold:
    """A share of an Amount; it goes back when it is released, or when nobody has it any more. For the loop's thread."""

    __slots__ = ("_amount", "_of")

    def __init__(self, of: Amount) -> None:
        self._of = of
        self._amount = 0

    def grow(self, amount: int) -> bool:
        """Takes more; False, and nothing is taken, when it is not there."""
        if self._of.held + amount > self._of.limit:
            self._of.refuse()
            return False
        self._of.held += amount
        self._amount += amount
        return True

    def release(self) -> None:
        """Gives everything back."""
        self._of.held -= self._amount
        self._amount = 0

    __del__ = release


class Rate(Quota):
    """What may be done in a second: a bucket that fills by time, and that work may overdraw once.

    How much a piece of work is, often only its end tells; who is in debt waits until it is paid.
    """

    def __init__(
        self, name: str, limit: int, what: str, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(name, limit, what, tell)
        self.spent = 0
        self._clock = clock
        self._level = limit * BURST
        self._at = clock()
        self._queue = asyncio.Lock()
        "Those who wait have their turn in the order in which they came."

    @property
    def usage(self) -> Usage:
        return Usage(self.limit, self.spent, self.refused)

    def allows(self) -> bool:
        """Whether there is something left; counts a refusal when not."""
        if self._debt() <= 0:
            return True
        self.refuse()
        return False

    def spend(self, amount: int) -> None:
        """Says what was done."""
        self._fill()
        self._level -= amount
        self.spent += amount

    async def turn(self) -> None:
        """Waits until there is something left."""
        if not self._queue.locked() and self._debt() <= 0:
            return
        self.refuse()
        async with self._queue:
            # Who does not wait, as an encoder that drops a picture, may have overdrawn it meanwhile.
            while (debt := self._debt()) > 0:  # noqa: ASYNC110 - it is paid by time alone
                await asyncio.sleep(debt / self.limit)

    def _debt(self) -> float:
        self._fill()
        return -self._level

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self.limit * BURST, self._level + (now - self._at) * self.limit)
        self._at = now


class Quotas:
    """The quotas of one session."""

    def __init__(self, limits: Limits, tell: Tell) -> None:
        """`tell` takes what a program's author is to hear."""
        self.decoded_pixels = Rate(
            "decodedPixels", limits.decoded_pixels, "decode {limit} pixels a second, and is slowed", tell
        )
        self.encoded_pixels = Rate(
            "encodedPixels", limits.encoded_pixels, "encode {limit} pixels a second, and drops pictures", tell
        )
        self.generated_pixels = Rate(
            "generatedPixels",
            limits.generated_pixels,
            "generate {limit} pixels a second, and has fewer test pictures",
            tell,
        )
        self.held_bytes = Amount(
            "heldBytes", limits.held_bytes, "hold {limit} bytes of frames", tell, "QuotaExceededError"
        )
        self.sources = Amount("sources", limits.sources, "have {limit} sources at once", tell, "NotReadableError")
        self.readers = Amount("readers", limits.readers, "read {limit} tracks at once", tell, "QuotaExceededError")
        self.files = Amount(
            "files", limits.files, "have {limit} files, URLs and devices open at once", tell, "NotReadableError"
        )
        self.url_seconds = Quota(
            "urlSeconds", limits.url_seconds, "wait {limit} s for a URL to open, or to give what is played next", tell
        )
        self.peer_channels = Quota(
            "peerChannels", limits.peer_channels, "have {limit} channels of a peer on each connection", tell
        )

    def usage(self) -> dict[str, Usage]:
        """Of those that are held or spent, by name."""
        return {each.name: each.usage for each in vars(self).values() if isinstance(each, Amount | Rate)}
