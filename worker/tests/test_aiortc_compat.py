"""What we lean on in aiortc's and aioice's private parts is still where the comments say it is.

A failure here, after an upgrade, names what to read again; the number in our comment moves with the line.
"""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path

import aioice
import aiortc
import OpenSSL
import pytest
from aioice import turn

import aiortc_worker.compat.ice  # noqa: F401

WORKER = Path(importlib.util.find_spec("aiortc_worker").submodule_search_locations[0])  # type: ignore[union-attr, index]
PACKAGES = {
    "aioice": Path(aioice.__file__).parent,
    "aiortc": Path(aiortc.__file__).parent,
    "OpenSSL": Path(OpenSSL.__file__).parent,
}

LINES = {
    "OpenSSL/SSL.py": {497: "class _VerifyHelper("},
    "aioice/candidate.py": {66: "self._network_host = host"},
    "aioice/ice.py": {
        24: "ICE_COMPLETED = 1",
        271: "self.receiver = receiver",
        284: "def datagram_received(",
        290: "stun.parse_message(data)",
        293: "self.receiver.data_received(",
        314: "async def request(",
        608: "async def connect(",
        640: "await asyncio.sleep(0.02)",
        868: "def check_complete(",
        888: "p.task.cancel()",
        904: "def check_incoming(",
        970: "def _check_list_maybe_fail(",
        1088: "def check_state(",
        1137: "async def get_component_candidates(",
        1220: "def _pair_remote_candidate(",
        1249: "async def query_consent(",
        1280: "def protocol_lost(",
        1288: "def _remote_candidates_expected(",
        1349: "self._early_checks.append(",
        1409: "def _valid_username(",
    },
    "aioice/stun.py": {
        149: 'unpack("!I", data)',
        353: "self.__timeout_delay = RETRY_RTO",
        361: "def response_received(",
    },
    "aioice/mdns.py": {
        55: "def datagram_received(",
        97: "socket.inet_ntop(socket.AF_INET, item.data)",
        100: "# A cancelled query stays listed",
        196: "create_datagram_endpoint(MDnsProtocol,",
    },
    "aioice/turn.py": {
        38: "def data_received(",
        149: "def datagram_received(",
        165: "stun.parse_message(data)",
        190: "async def delete(",
        332: "now = time.time()",
        517: "lambda: TurnClientTcpProtocol(",
        530: "lambda: TurnClientUdpProtocol(",
    },
    "aiortc/rtcdtlstransport.py": {
        194: "def _create_ssl_context(",
        203: "ctx.use_privatekey(self._key)",
        204: "ctx.set_cipher_list(",
        383: "self.__local_certificate = certificate",
        411: "async def _do_handshake(",
        448: "fingerprint_valid != fingerprint_supported",
        519: "self._ssl = SSL.Connection(",
        536: "self._validate_peer_identity(remoteParameters)",
        579: "raise exc",
        626: "async def _recv_next(",
        658: "except SSL.Error:",
        665: "await self._data_receiver._handle_data(data)",
        674: "self._rx_srtp.unprotect(data)",
        679: "def _register_data_receiver(",
        704: "async def _send_data(",
        711: "async def _send_rtp(",
        726: "def _set_state(",
        742: "async def _write_ssl(",
        747: "self._ssl.bio_read(1500)",
        748: "except SSL.Error:",
    },
    "aiortc/rtp.py": {78: "def get(self, extension_profile: int"},
}


def source(name: str) -> list[str]:
    package, _, path = name.partition("/")
    return (PACKAGES[package] / path).read_text().splitlines()


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in LINES.items() for line in lines])
def test_a_line_is_where_the_comments_say(name: str, line: int) -> None:
    assert LINES[name][line] in source(name)[line - 1]


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("aiortc_compat.py", ""),
        ("compat/clocks.py", "aioice/turn.py"),
        ("compat/ice.py", "aioice/ice.py"),
        ("compat/ice_socket.py", "aioice/ice.py"),
        ("compat/servers.py", "aioice/turn.py"),
        ("compat/dtls.py", "aiortc/rtcdtlstransport.py"),
        ("rtp/extensions.py", "aiortc/rtp.py"),
    ],
)
def test_every_line_that_a_comment_names_is_checked_here(module: str, file: str) -> None:
    text = (WORKER / module).read_text()
    named = re.findall(r"(?:((?:aioice|aiortc)/\w+\.py|\w+\.py)|[ (]):(\d+)", text)
    assert named
    for path, line in named:
        full = path or file
        candidates = [full] if "/" in full else [each for each in LINES if each.endswith(f"/{full}")]
        assert any(int(line) in LINES[each] for each in candidates), f"{full}:{line}"


def test_private_names_are_reached_in_compat_alone() -> None:
    foreign = re.compile(r"\b(?:selected|candidate|pair|protocol|connection|association|dtls|_ssl)\._(?!_)[a-z]\w+")
    for path in (WORKER / "transports").glob("*.py"):
        assert foreign.findall(path.read_text()) == [], path.name


def test_of_the_module_time_they_use_what_stands_for_it() -> None:
    assert turn.time.time is time.monotonic
    assert set(re.findall(r"\btime\.(\w+)\(", Path(str(turn.__file__)).read_text())) == {"time"}
