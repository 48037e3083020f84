"""Fragments become messages, and messages wait for their turn on their stream.

Fragments of a message that follow each other are kept as one run, found by its two ends: a fragment costs the same
however many are kept. A message too large to be kept is passed on in parts, once all before it on its stream was.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.9
@see https://www.rfc-editor.org/rfc/rfc8260#section-2
"""

from __future__ import annotations

from collections import deque
from typing import Final

from .chunks import FIRST, LAST, UNORDERED, WHOLE, Data
from .events import Event, GivenUp, Message, Part

ASSEMBLED: Final = 256 * 1024
"Bytes of a message that are kept for its rest; beyond, it is passed on in parts."
PRESSURE: Final = 512 * 1024
"Bytes kept of all messages from which on shorter ones are passed on in parts, too: with I-DATA many grow at a time."
OVERHEAD: Final = 128
"Bytes that a chunk counts beside its payload: a chunk of one byte takes a hundred times its size."


class Run:
    """Fragments of one message without a gap between them."""

    __slots__ = (
        "begins",
        "end",
        "ends",
        "length",
        "passed",
        "pieces",
        "protocol",
        "sequence",
        "start",
        "stream",
        "unordered",
    )

    def __init__(self, position: int, chunk: Data) -> None:
        flags = chunk.flags
        self.stream = chunk.stream
        self.unordered = bool(flags & UNORDERED)
        self.sequence = chunk.sequence
        self.protocol = chunk.protocol
        self.start = position
        self.end = position
        "Where the first and the last fragment are: their TSNs, or what `place` makes of I-DATA."
        self.pieces = deque([chunk.payload])
        "Those that were not passed on yet."
        self.length = len(chunk.payload)
        "Bytes of the pieces."
        self.begins = bool(flags & FIRST)
        self.ends = bool(flags & LAST)
        self.passed = False
        "Whether a part of it was passed on."

    @property
    def size(self) -> int:
        """What the pieces count."""
        return self.length + OVERHEAD * len(self.pieces)

    def is_of(self, other: Run) -> bool:
        """Whether both may be of one message."""
        return self.stream == other.stream and self.unordered == other.unordered and self.sequence == other.sequence


def place(chunk: Data) -> int:
    """A number for a fragment of I-DATA that is one less than that of the next one of its message."""
    message = (chunk.stream << 33) | (bool(chunk.flags & UNORDERED) << 32) | chunk.sequence
    return (message << 32) | chunk.fragment


class Reassembly:
    """The messages of all streams that are incomplete or before their turn."""

    def __init__(self, events: list[Event], interleaved: bool) -> None:
        self.held = 0
        "Bytes of what is kept, and what it takes to keep it."
        self._events = events
        self._interleaved = interleaved
        self._last_sequence = 2**32 - 1 if interleaved else 2**16 - 1
        self._starts: dict[int, Run] = {}
        self._ends: dict[int, Run] = {}
        self._next: dict[int, int] = {}
        "The sequence number that is due on each stream; 0 where there is none."
        self._ready: dict[int, dict[int, tuple[int, bytes]]] = {}
        "Whole messages before their turn, by stream and sequence number."
        self._large: dict[int, Run] = {}
        "By their starts, messages that are to be passed on in parts."
        self._passing: dict[int, Run] = {}
        "Those of which a part was passed on, by stream."
        self._behind: dict[int, list[tuple[int, bytes]]] = {}
        "Whole messages that wait for the end of one in parts."

    def take(self, tsn: int, chunk: Data) -> None:
        """Takes a fragment that was not there before."""
        flags = chunk.flags
        if flags & WHOLE == WHOLE:
            stream = chunk.stream
            if not self._passing and not self._ready and not flags & UNORDERED:
                # Nearly all there are: a whole message whose turn it is.
                due = self._next.get(stream, 0)
                if chunk.sequence == due:
                    self._next[stream] = (due + 1) & self._last_sequence
                    self._events.append(Message(stream, chunk.protocol, chunk.payload))
                    return
            self._take_whole(chunk.stream, chunk.sequence, bool(flags & UNORDERED), chunk.protocol, chunk.payload)
            return
        position = place(chunk) if chunk.interleaved else tsn
        if position in self._starts or position in self._ends:
            return  # Another TSN for the same fragment of I-DATA.
        run = self._join(Run(position, chunk))
        self.held += len(chunk.payload) + OVERHEAD
        if not run.begins:
            return
        if run.ends:
            self._complete(run)
        elif run.length > ASSEMBLED or run.passed:
            self._large[run.start] = run

    def pass_on(self) -> None:
        """Passes on what has come of large messages; for the end of a batch of packets."""
        if self._interleaved and self.held > PRESSURE:
            self._large.update((start, run) for start, run in self._starts.items() if run.begins)
        if not self._large:
            return
        for start, run in tuple(self._large.items()):
            if not self._may_pass(run):
                continue
            if run.pieces:
                self._pass(run, last=False)
            del self._large[start]

    def skip(self, old: int, new: int, skipped: list[tuple[int, int, bool]]) -> None:
        """Forgets what the peer has abandoned up to a TSN (RFC 3758, section 3.6; RFC 8260, section 2.3.1)."""
        if self._interleaved:
            for stream, message, unordered in skipped:
                self._skip_messages(stream, message, unordered)
        else:
            self._skip_tsns(old, new)
        for stream, sequence, unordered in skipped:
            if not unordered:
                self._skip_to(stream, sequence)

    def reset(self, stream: int, cumulative: int) -> None:
        """The peer has reset a stream, all up to its last TSN having arrived (RFC 6525, section 5.2.2)."""
        self._next.pop(stream, None)
        for _, data in self._ready.pop(stream, {}).values():
            self.held -= len(data) + OVERHEAD
        cut = self._passing.get(stream) or self._ends.get(cumulative)
        if cut is not None and cut.stream == stream:
            self._drop(cut)

    # Runs

    def _join(self, run: Run) -> Run:
        """Puts a run beside what it continues; returns what became of it."""
        starts, ends = self._starts, self._ends
        if not run.begins and (left := ends.get(run.start - 1)) is not None and not left.ends and left.is_of(run):
            del ends[left.end]
            run = _append(left, run)
        else:
            starts[run.start] = run
        if not run.ends and (right := starts.get(run.end + 1)) is not None and not right.begins and right.is_of(run):
            del starts[right.start]
            run = _append(run, right)
        ends[run.end] = run
        return run

    def _remove(self, run: Run) -> None:
        del self._starts[run.start]
        del self._ends[run.end]
        self._large.pop(run.start, None)
        self.held -= run.size

    def _complete(self, run: Run) -> None:
        self._remove(run)
        if run.passed:
            self.held += run.size
            self._pass(run, last=True)
            self._passed(run)
        else:
            self._take_whole(run.stream, run.sequence, run.unordered, run.protocol, b"".join(run.pieces))

    def _drop(self, run: Run) -> None:
        self._remove(run)
        if run.passed:
            self._events.append(GivenUp(run.stream))
            del self._passing[run.stream]
            self._release(run.stream)
            if run.stream in self._ready:
                self._tell_ready(run.stream)

    # Whole messages

    def _take_whole(self, stream: int, sequence: int, unordered: bool, protocol: int, data: bytes) -> None:
        if unordered:
            self._tell(stream, protocol, data)
            return
        due = self._next.get(stream, 0)
        if sequence == due and stream not in self._passing:
            self._tell(stream, protocol, data)
            self._next[stream] = (due + 1) & self._last_sequence
            if stream in self._ready:
                self._tell_ready(stream)
            return
        if (sequence - due) & self._last_sequence > self._last_sequence // 2:
            return  # Its turn is over: the peer has used a number twice.
        ready = self._ready.setdefault(stream, {})
        if sequence not in ready:
            ready[sequence] = (protocol, data)
            self.held += len(data) + OVERHEAD

    def _tell(self, stream: int, protocol: int, data: bytes) -> None:
        if self._passing and stream in self._passing:
            self._behind.setdefault(stream, []).append((protocol, data))
            self.held += len(data) + OVERHEAD
            return
        self._events.append(Message(stream, protocol, data))

    def _tell_ready(self, stream: int) -> None:
        """Tells the messages whose turn has come."""
        ready = self._ready[stream]
        due = self._next.get(stream, 0)
        while (message := ready.pop(due, None)) is not None:
            self.held -= len(message[1]) + OVERHEAD
            self._tell(stream, *message)
            due = (due + 1) & self._last_sequence
        self._next[stream] = due
        if not ready:
            del self._ready[stream]

    def _release(self, stream: int) -> None:
        """Tells what waited for the end of a message in parts."""
        for protocol, data in self._behind.pop(stream, ()):
            self.held -= len(data) + OVERHEAD
            self._tell(stream, protocol, data)

    # Messages in parts

    def _may_pass(self, run: Run) -> bool:
        if run.passed:
            return True
        return run.stream not in self._passing and (run.unordered or run.sequence == self._next.get(run.stream, 0))

    def _pass(self, run: Run, last: bool) -> None:
        data = b"".join(run.pieces)
        self._events.append(Part(run.stream, run.protocol, data, not run.passed, last))
        self._passing[run.stream] = run
        self.held -= run.size
        run.passed = True
        run.length = 0
        run.pieces.clear()

    def _passed(self, run: Run) -> None:
        del self._passing[run.stream]
        if not run.unordered:
            self._next[run.stream] = (run.sequence + 1) & self._last_sequence
        self._release(run.stream)
        if run.stream in self._ready:
            self._tell_ready(run.stream)

    # Skipping

    def _skip_tsns(self, old: int, new: int) -> None:
        # What has arrived without a gap up to the old cumulative TSN, and is incomplete, ends there.
        cut = [run for run in (self._ends.get(old),) if run is not None]
        if new - old <= len(self._starts):
            cut += [run for tsn in range(old + 1, new + 1) if (run := self._starts.get(tsn)) is not None]
        else:
            cut += [run for start, run in self._starts.items() if start <= new and run.end != old]
        for run in cut:
            self._drop(run)

    def _skip_messages(self, stream: int, message: int, unordered: bool) -> None:
        for run in tuple(self._starts.values()):
            older = (message - run.sequence) & self._last_sequence <= self._last_sequence // 2
            if run.stream == stream and run.unordered == unordered and older:
                self._drop(run)

    def _skip_to(self, stream: int, sequence: int) -> None:
        """The messages of a stream up to a sequence number are over; those that are whole go first."""
        due = self._next.get(stream, 0)
        if (sequence - due) & self._last_sequence > self._last_sequence // 2:
            return
        ready = self._ready.get(stream, {})
        passed_over = [each for each in ready if (sequence - each) & self._last_sequence <= self._last_sequence // 2]
        for each in sorted(passed_over, key=lambda number: (number - due) & self._last_sequence):
            message = ready.pop(each)
            self.held -= len(message[1]) + OVERHEAD
            self._tell(stream, *message)
        self._next[stream] = (sequence + 1) & self._last_sequence
        if stream in self._ready:
            self._tell_ready(stream)


def _append(left: Run, right: Run) -> Run:
    """Adds a run to the one before it; the pieces of the shorter one move."""
    if len(left.pieces) >= len(right.pieces):
        left.pieces.extend(right.pieces)
    else:
        right.pieces.extendleft(reversed(left.pieces))
        left.pieces = right.pieces
    left.end = right.end
    left.ends = right.ends
    left.length += right.length
    return left
