"""Shared by all tests: where real recordings are, and that kernels run on one thread by default."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of real recordings, from MUJO_DATA; the test is skipped, visibly, without it."""
    root = os.environ.get("MUJO_DATA")
    if not root:
        pytest.skip("needs real recordings: set MUJO_DATA to their folder")
    return Path(root)
