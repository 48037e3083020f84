"""`python compile.py OUT`: the worker's pure modules as native ones, by mypyc, into the folder OUT.

Needs what `requirements-compile.lock` names, and a C compiler. The worker takes them instead of the sources when
`AIORTC_WORKER_COMPILED` names the folder; the sources stay the reference.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from mypyc.build import mypycify
from setuptools import setup

ROOT: Final = Path(__file__).parent
PACKAGE: Final = Path("aiortc_worker", "sctp")


def main(out: Path) -> None:
    """Compiles every module of the package together: calls among them then go without Python."""
    os.chdir(ROOT)
    modules = sorted(str(path) for path in PACKAGE.glob("*.py") if path.name != "__init__.py")
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch, "build")
        # Also where mypy keeps what it has read, which it would put beside the sources.
        options = ["--strict", "--ignore-missing-imports", "--cache-dir", str(Path(scratch, "cache"))]
        extensions = mypycify([*options, *modules], opt_level="3", group_name="aiortc_worker", target_dir=str(build))
        setup(
            name="aiortc-worker",
            packages=[],
            ext_modules=extensions,
            script_args=["-q", "build_ext", "--build-lib", str(out), "--build-temp", str(build)],
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
