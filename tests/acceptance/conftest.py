"""A home of its own for each test that runs Mirix as a newcomer does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    """The environment of somebody who has just arrived: an empty data folder and no settings of ours."""
    folder = Path(tempfile.mkdtemp(prefix="mirix-home-"))
    folder.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIRIX_", "OPENAI_", "LANG"))}
    yield kept | {
        "MIRIX_DATA_DIR": str(folder / "data"),
        "MIRIX_IDLE_TIMEOUT_S": "1",
        "MIRIX_KEYRING": "file",
        "PYTHONWARNINGS": "default",
    }
    shutil.rmtree(folder, ignore_errors=True)
