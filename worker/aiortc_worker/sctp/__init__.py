"""aiortc's SCTP association, lifted: one concern a file, each a subclass of the one before, in this order.

`bundling`, `timers`, `receiving` (with `large_message`), `acknowledging`, `sending`, `congestion`, `path_mtu`,
`association`. Each override names its line in `aiortc/rtcsctptransport.py`, as of aiortc 1.16.0;
`tests/test_aiortc_compat.py` fails when one has moved.
"""
