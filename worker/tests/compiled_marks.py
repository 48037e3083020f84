"""Marks of tests that a compiled association cannot have run."""

from __future__ import annotations

import os

import pytest

replaces_a_method = pytest.mark.skipif(
    bool(os.environ.get("AIORTC_WORKER_COMPILED")), reason="a method of a compiled object cannot be replaced"
)
