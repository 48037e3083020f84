"""aiortc's SCTP association, lifted: one concern a file, each a subclass of the one before, in this order.

`bundling`, `timers`, `receiving` (with `large_message`), `acknowledging`, `sending`, `congestion`, `path_mtu`,
`association`. Each override names its line in `aiortc/rtcsctptransport.py`, as of aiortc 1.16.0;
`tests/test_aiortc_compat.py` fails when one has moved.
"""

from __future__ import annotations

import os
import sys

if _compiled := os.environ.get("AIORTC_WORKER_COMPILED"):
    # What compile.py made of these modules, the sources of which lie here.
    __path__.insert(0, os.path.join(_compiled, __name__.replace(".", os.sep)))
    # Of the library that they share.
    sys.path.append(_compiled)
