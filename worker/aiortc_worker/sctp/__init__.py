"""SCTP for data channels, without I/O; `association.py` composes it, and its README says of what."""

from __future__ import annotations

import os
import sys

if _compiled := os.environ.get("AIORTC_WORKER_COMPILED"):
    # What compile.py made of these modules, the sources of which lie here.
    __path__.insert(0, os.path.join(_compiled, __name__.replace(".", os.sep)))
    # Of the library that they share.
    sys.path.append(_compiled)
