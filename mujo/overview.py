"""`mujo datasets`: what there is, and what of it is on this machine."""

from __future__ import annotations

import textwrap

from mujo.data import KEYS, card, load
from mujo.data.files import locate
from mujo.errors import ImusimError


def overview() -> str:
    """One line a data set."""
    rows = [("key", "people", "rate", "classes", "sensors", "licence", "here")]
    for key in KEYS:
        c = card(key)
        null = "+null" if c.null_class else ""
        kinds = f"{len(c.classes) - bool(c.null_class)}{null}"
        rows.append(
            (key, str(c.people), f"{c.rate_hz:g} Hz", kinds, ", ".join(c.sensors), c.licence, where(key))
        )
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([*(t.ljust(w) for t, w in zip(r, widths, strict=False)), r[-1]]).rstrip() for r in rows
    ]
    return "\n".join(
        [
            *lines,
            "",
            "mujo datasets KEY: classes, where to get it, what is read. Folders are looked for under MUJO_DATA.",
        ]
    )


def where(key: str) -> str:
    """Where a data set is on this machine, in words."""
    found = locate(card(key))
    if found is not None:
        return str(found)
    return "fetched on first use" if key == "spar" else "no"


def describe(key: str) -> str:
    """Everything about one data set; its files are read if they are here.

    Raises
    ------
    UnknownNameError
    """
    c = card(key)
    lines = [
        c.title,
        f"  people   {c.people}, {c.rate_hz:g} Hz",
        f"  sensors  {', '.join(c.sensors)}",
        *textwrap.wrap(", ".join(c.classes), 100, initial_indent="  classes  ", subsequent_indent=" " * 11),
        f"  licence  {c.licence}",
        f"  get it   {c.where}",
        f"  files    {c.wants}",
        f"  here     {where(key)}",
    ]
    if c.note:
        lines.append(f"  note     {c.note}")
    if locate(c) is not None or key == "spar":
        try:
            data = load(key)
        except ImusimError as error:
            return "\n".join([*lines, f"  reading  failed: {error}"])
        seconds = sum(b.samples for b in data.bouts) / data.rate_hz
        channels = "; ".join(f"{s}: {' + '.join(data.channels(s)) or 'nothing'}" for s in data.sensors)
        lines.append(
            f"  read     {len(data.bouts)} recordings of {len(data.people)} people, {seconds / 3600:.2f} h"
        )
        lines.append(f"           {channels}")
        lines += [f"           {count} {what}" for what, count in data.missing.items()]
    return "\n".join(lines)
