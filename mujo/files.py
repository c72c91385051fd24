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


def write_section(page: Path, title: str, begin: str, end: str, section: str) -> None:
    """Put a section between two markers of a page; the rest stays. A page without them gets it at its end.

    Raises
    ------
    OutputError
        If it cannot be written; what was there is kept.
    """
    text = page.read_text() if page.is_file() else f"# {title}\n"
    if begin not in text or end not in text:
        text = f"{text}\n{begin}\n{end}\n"
    write_whole(page, f"{text.split(begin)[0]}{begin}\n\n{section}\n{end}{text.split(end)[-1]}")
