"""The desk of `tests/scripts.py`."""

from __future__ import annotations

from tests.scripts import open_mirix, rows

__all__ = ["open_mirix", "rows"]
