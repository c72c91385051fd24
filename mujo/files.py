"""Files of text or bytes that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from imusim.atomic import written_together


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one step.

    Raises
    ------
    OutputError
        If it cannot be written (no permission, disk full); what was there is kept.
    """
    with written_together(path) as (partial,):
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
