"""Who is who after people passed each other: by their colours, or not at all.

A tracker is one person from meeting to meeting. After a meeting it may have left with the other one. What both looked
like before and after is compared: straight on (each with themselves) against exchanged. If one is clearly better, that
is what happened. If neither is, because the two are dressed alike, names go on only where the two were seen side by
side all the while; otherwise both tracks end where the meeting began, and new names go on from where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from imusim.types import Floats
from imusim.video.crowd import Meeting, Member

_CLEAR = 0.04  # sum of two similarities (0 … 1 each) that must be between straight and exchanged; half for one alone
_SIDE_BY_SIDE_M = 0.35  # torsos that were never nearer than this, and never lost, were never mixed up
_FRAMES = 45  # looks so many frames before and after a meeting
_FEWEST = 3


@dataclass(frozen=True)
class Stretch:
    """Rows first … last − 1 of a tracker."""

    member: int
    first: int
    last: int


@dataclass
class Named:
    """One person under one name: stretches of trackers in order, and what was decided about them.

    Parameters
    ----------
    stretches : rows of trackers that are this person
    notes : (row, what happened) in words, for the metadata
    cut : rows at which the track ends because it is not known who went on
    """

    stretches: list[Stretch] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)


def name_people(members: Sequence[Member], meetings: Sequence[Meeting], rows: int) -> list[Named]:
    """Divide the trackers' rows among people.

    Parameters
    ----------
    members, meetings : of `Crowd`
    rows : how many frames there were

    Returns
    -------
    list of Named
        In the order in which they appear.
    """
    people = [Named() for _ in members]
    holder = list(range(len(members)))  # which person each tracker is on
    since = [m.first_row for m in members]

    def close(member: int, row: int, reopen: int) -> None:
        if row > since[member]:
            people[holder[member]].stretches.append(Stretch(member, since[member], row))
        since[member] = reopen

    done = sorted(
        (m for m in meetings if m.end is not None and m.end < rows), key=lambda m: (m.end or 0, m.start)
    )
    for meeting in done:
        end = meeting.end
        assert end is not None
        i, j = meeting.pair
        what = _decide(meeting, members, rows)
        if what == "straight":
            continue
        first = max(meeting.start, since[i], since[j])
        for k in (i, j):
            close(k, max(min(first, end), since[k]), end)
        if what == "exchanged":
            holder[i], holder[j] = holder[j], holder[i]
            for k in (i, j):
                people[holder[k]].notes.append(
                    (end, "the tracker left with somebody else; put right by colours")
                )
        else:
            for k in (i, j):
                people[holder[k]].cut.append(first)
                people.append(Named(notes=[(end, "begins after a meeting of people who look alike")]))
                holder[k] = len(people) - 1
    for k in range(len(members)):
        close(k, rows, rows)
    for person in people:
        person.stretches.sort(key=lambda s: s.first)
    found = [p for p in people if p.stretches]
    return sorted(found, key=lambda p: (p.stretches[0].first, p.stretches[0].member))


def _decide(meeting: Meeting, members: Sequence[Member], rows: int) -> str:
    """Say "straight", "exchanged" or "unknown"."""
    end = rows if meeting.end is None else meeting.end
    if meeting.nearest_m > _SIDE_BY_SIDE_M and not meeting.lost:
        return "straight"
    one, other = (_looks(members[k], meeting.start - _FRAMES, meeting.start) for k in meeting.pair)
    after = [_looks(members[k], end, end + _FRAMES) for k in meeting.pair]
    if after[0] is None and after[1] is None:
        return "straight"  # nobody goes on: nothing to decide
    if one is None or other is None:
        return "unknown"
    before = (one, other)
    straight = exchanged = 0.0
    for k in (0, 1):
        seen = after[k]
        if seen is not None:
            straight += float(before[k] @ seen)
            exchanged += float(before[1 - k] @ seen)
    needed = _CLEAR if all(a is not None for a in after) else 0.5 * _CLEAR
    if abs(straight - exchanged) < needed:
        return "unknown"
    return "straight" if straight > exchanged else "exchanged"


def _looks(member: Member, first: int, last: int) -> Floats | None:
    """Mean colours in these rows, unit length; None where too few frames show them."""
    seen = [looks for row, looks in member.looks.items() if first <= row < last]
    if len(seen) < _FEWEST:
        return None
    mean = np.mean(np.stack(seen).astype(np.float64), axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
