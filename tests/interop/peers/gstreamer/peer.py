"""GStreamer's end, webrtcbin: does what lines of JSON on standard input ask for (driver/protocol.ts has the protocol).

Runs on the system's Python, which has GObject's bindings.
"""

from __future__ import annotations

import array
import base64
import hashlib
import itertools
import json
import math
import os
import re
import sys
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

TONE, RATE = 440, 48_000
HIGH = 1 << 20
LARGEST = 65_536
"What webrtcbin sends at most, whatever the other end announces."
SOURCES = {
    "audio": f"audiotestsrc is-live=true freq={TONE} volume=0.5 ! audio/x-raw,rate={RATE},channels=2"
    " ! opusenc ! rtpopuspay",
    "VP8": "vp8enc deadline=1 keyframe-max-dist=15 target-bitrate=500000 ! rtpvp8pay",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=500"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1,format=I420"
NAMES = {"audio": ("OPUS", RATE), "VP8": ("VP8", 90_000), "H264": ("H264", 90_000)}
PAYLOAD_TYPES = {"audio": 111, "VP8": 96, "H264": 102}

output = threading.Lock()
immortal: list[Any] = []


def say(line: dict[str, Any]) -> None:
    with output:
        print(json.dumps(line), flush=True)


class End:
    """One connection, from open to close."""

    def __init__(self) -> None:
        self.pipeline = Gst.Pipeline.new(None)
        self.webrtc = Gst.ElementFactory.make("webrtcbin", None)
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        # Kept: the bindings would take webrtcbin's own reference with theirs.
        self.ice = self.webrtc.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("on-ice-candidate", self._on_candidate)
        self.webrtc.connect("on-data-channel", lambda _, channel: self._adopt(channel))
        self.webrtc.connect("pad-added", self._on_pad)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.channels: dict[str, Any] = {}
        self.states: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []
        self.flood = {"count": 0, "bytes": 0}
        self.wanted: list[str] = []
        self.video_codec: str | None = None
        self.seen: dict[str, int] | None = None
        self.seconds = 0.0
        self.sound = array.array("f")
        self.last = b""

    # Descriptions

    def offer(self, restart: bool = False, **_: Any) -> dict[str, Any]:
        for codec in self.wanted:
            self._add_source(codec, PAYLOAD_TYPES[codec])
        self.wanted = []
        return self._described("offer")

    def answer(self, sdp: str, **_: Any) -> dict[str, Any]:
        self._describe(GstWebRTC.WebRTCSDPType.OFFER, sdp)
        for codec in self.wanted:
            self._add_source(codec, payload_type_of(sdp, codec))
        self.wanted = []
        return self._described("answer")

    def accept(self, sdp: str, **_: Any) -> None:
        self._describe(GstWebRTC.WebRTCSDPType.ANSWER, sdp)

    def candidate(self, candidate: dict[str, Any] | None, **_: Any) -> None:
        if candidate and candidate["candidate"]:
            self.webrtc.emit("add-ice-candidate", candidate.get("sdpMLineIndex") or 0, candidate["candidate"])

    def _described(self, kind: str) -> dict[str, Any]:
        made, applied = Gst.Promise.new(), Gst.Promise.new()
        self.webrtc.emit(f"create-{kind}", None, made)
        # The description lives no longer than the reply that it is in.
        reply = reply_of(made)
        self.webrtc.emit("set-local-description", reply.get_value(kind), applied)
        reply_of(applied)
        return {"sdp": self.webrtc.get_property("local-description").sdp.as_text()}

    def _describe(self, kind: GstWebRTC.WebRTCSDPType, sdp: str) -> None:
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        # The bindings free the message once for Python and once for the description, which owns it.
        immortal.append((message, description))
        promise = Gst.Promise.new()
        self.webrtc.emit("set-remote-description", description, promise)
        reply_of(promise)

    def _on_candidate(self, _: Any, line: int, candidate: str) -> None:
        say({"event": "candidate", "candidate": {"candidate": candidate, "sdpMLineIndex": line}})

    # Channels

    def channel(self, label: str, **_: Any) -> None:
        self._adopt(self.webrtc.emit("create-data-channel", label, None))

    def _adopt(self, channel: Any) -> None:
        label = channel.get_property("label")
        self.channels[label] = channel
        # The nick of the state that it has at first crashes: the enumeration has no name for 0.
        is_open = channel.get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN
        self.states[label] = "open" if is_open else "connecting"
        channel.connect("on-open", lambda _: self.states.update({label: "open"}))
        channel.connect("on-close", lambda _: self.states.update({label: "closed"}))
        channel.connect("on-message-string", lambda _, text: self._received(label, "text", (text or "").encode()))
        channel.connect("on-message-data", lambda _, data: self._received(label, "binary", bytes_of(data)))

    def _received(self, label: str, kind: str, data: bytes) -> None:
        if label == "flood":
            self.flood["count"] += 1
            self.flood["bytes"] += len(data)
            return
        digest = hashlib.sha256(data).hexdigest()
        self.messages.append({"label": label, "type": kind, "bytes": len(data), "digest": digest})

    def send(self, label: str, text: str | None = None, base64: str | None = None, **_: Any) -> None:
        if text is not None:
            self.channels[label].emit("send-string", text)
        else:
            self.channels[label].emit("send-data", GLib.Bytes.new(decode(base64 or "")))

    def send_flood(self, label: str, count: int, bytes: int, **_: Any) -> None:
        channel = self.channels[label]
        message = GLib.Bytes.new(b"\0" * bytes)
        for _number in range(count):
            while channel.get_property("buffered-amount") > HIGH:
                time.sleep(0.001)
            channel.emit("send-data", message)

    # Media

    def media(self, kind: str, codec: str | None = None, **_: Any) -> None:
        """The payload type is the offer's: what is wanted is linked when that is known."""
        self.wanted.append("audio" if kind == "audio" else codec or "VP8")
        self.video_codec = codec if kind == "video" else self.video_codec

    def _add_source(self, codec: str, payload_type: int) -> None:
        name, clock = NAMES[codec]
        media = "audio" if codec == "audio" else "video"
        head = "" if codec == "audio" else f"{PICTURE} ! "
        caps = f"application/x-rtp,media={media},encoding-name={name},payload={payload_type},clock-rate={clock}"
        source = Gst.parse_bin_from_description(
            f"{head}{SOURCES[codec]} pt={payload_type} ! capsfilter caps={caps}", True
        )
        self.pipeline.add(source)
        source.link(self.webrtc)
        source.sync_state_with_parent()
        # Until the encoder has told its profile, a description would lack it.
        pad = source.get_static_pad("src")
        while not pad.get_current_caps():
            time.sleep(0.01)

    def _on_pad(self, _: Any, pad: Gst.Pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        decoder = Gst.ElementFactory.make("decodebin", None)
        decoder.connect("pad-added", self._on_decoded)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def _on_decoded(self, _: Any, pad: Gst.Pad) -> None:
        audio = pad.get_current_caps().get_structure(0).get_name().startswith("audio")
        tail = (
            f"audioconvert ! audioresample ! audio/x-raw,format=F32LE,channels=1,rate={RATE}"
            if audio
            else "videoconvert ! video/x-raw,format=I420"
        )
        sink = Gst.parse_bin_from_description(
            f"{tail} ! fakesink name=out signal-handoffs=true sync=false async=false", True
        )
        sink.get_by_name("out").connect("handoff", self._hear if audio else self._see)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _hear(self, _: Any, buffer: Gst.Buffer, __: Gst.Pad) -> None:
        samples = array.array("f", buffer.extract_dup(0, buffer.get_size()))
        self.seconds += len(samples) / RATE
        self.sound = (self.sound + samples)[-RATE // 2 :]

    def _see(self, _: Any, buffer: Gst.Buffer, pad: Gst.Pad) -> None:
        structure = pad.get_current_caps().get_structure(0)
        seen = self.seen or {"frames": 0, "moving": 0, "width": 0, "height": 0}
        picture = buffer.extract_dup(0, buffer.get_size())
        seen["frames"] += 1
        seen["moving"] += picture != self.last
        seen["width"], seen["height"] = structure.get_value("width"), structure.get_value("height")
        self.seen, self.last = seen, picture

    def report(self, **_: Any) -> dict[str, Any]:
        report: dict[str, Any] = {
            "connection": self.webrtc.get_property("connection-state").value_nick,
            "channels": self.states,
            "messages": self.messages,
            "maxMessageSize": LARGEST,
            "flood": self.flood,
            "sent": {},
            "received": {},
        }
        if self.seen:
            report["seen"] = self.seen
        if self.seconds:
            report["heard"] = {"seconds": self.seconds, **tone_of(self.sound)}
        return report

    def close(self, **_: Any) -> None:
        self.pipeline.set_state(Gst.State.NULL)


def reply_of(promise: Gst.Promise) -> Gst.Structure | None:
    """What it has been replied with, which lives no longer than the promise."""
    promise.wait()
    reply = promise.get_reply()
    if reply and reply.has_field("error"):
        raise RuntimeError(reply.get_value("error").message)
    return reply


def payload_type_of(sdp: str, codec: str) -> int:
    """Of H264, the packetization mode that rtph264pay makes, and the profile that x264enc is told."""
    name, _ = NAMES[codec]
    found = re.findall(rf"^a=rtpmap:(\d+) {name}/", sdp, re.M | re.I)
    if codec == "H264":
        found = [
            each
            for each in found
            if re.search(rf"^a=fmtp:{each} (?=.*packetization-mode=1).*profile-level-id=42e0", sdp, re.M)
        ]
    return int(found[0])


def tone_of(sound: array.array[float]) -> dict[str, float]:
    level = math.sqrt(sum(sample * sample for sample in sound) / max(1, len(sound)))
    rising = sum(before <= 0 < after for before, after in itertools.pairwise(sound))
    return {"level": level, "frequency": rising * RATE / max(1, len(sound))}


def bytes_of(data: GLib.Bytes | None) -> bytes:
    return data.get_data() or b"" if data else b""


def decode(text: str) -> bytes:
    return base64.b64decode(text)


def main() -> None:
    Gst.init(None)
    end: End | None = None
    say({"event": "ready", "version": ".".join(str(part) for part in Gst.version()[:3])})
    for line in sys.stdin:
        ask = json.loads(line)
        number, what = ask.pop("id"), ask.pop("do")
        try:
            if what == "open":
                end, out = End(), None
            else:
                out = getattr(end, "send_flood" if what == "flood" else what)(**ask)
            say({"id": number, **(out or {})})
        except Exception as error:
            say({"id": number, "error": f"{type(error).__name__}: {error}"})


main()
os._exit(0)
