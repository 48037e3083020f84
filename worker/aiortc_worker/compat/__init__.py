"""Subclasses of aiortc's and aioice's transports that lean on their private parts, and the libopus inside PyAV.

`ice` and `servers` over aioice, `dtls` and `sctp` over aiortc; single functions are in `aiortc_compat`. Nothing else
may reach into the two packages' private names. Each override names the line it leans on, as of aiortc 1.16.0 and aioice
0.13.0, and `tests/test_aiortc_compat.py` fails when one has moved. `libopus` is found through PyAV;
`tests/test_libopus.py` fails when it is not.
"""
