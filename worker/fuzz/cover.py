"""A run of libFuzzer over one parser, as a process: `python -m fuzz.cover PARSER CORPUS FAULTS CASES SECONDS`.

libFuzzer ends its process itself, and keeps the input of an exception, of a hang and of too much memory in FAULTS.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

import atheris

LONGEST = 4096
"Bytes of a case; what is not linear shows within them, and more cases fit into a second."
HANGS = 5
"Seconds."
MEMORY = 2048
"MiB."


def main(name: str, corpus: str, faults: str, cases: str, seconds: str) -> None:
    """Does not return."""
    # The parsers are loaded before anything else loads them, so that their branches are counted.
    with atheris.instrument_imports(include=["aiortc_worker", "aioice.stun", "aioice.candidate", "aiortc.rtp"]):
        targets = import_module("fuzz.targets")
    read = targets.TARGETS[name].read

    def take(data: bytes) -> None:
        with suppress(ValueError):
            read(data)

    options = {
        "atheris_runs": cases,
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": HANGS,
        "rss_limit_mb": MEMORY,
        "artifact_prefix": f"{faults}/",
        "print_final_stats": 1,
    }
    atheris.Setup([sys.argv[0], corpus, *(f"-{name}={value}" for name, value in options.items())], take)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
