"""Who is who after a meeting, from what both looked like before and after; the trackers' rows are made by hand."""

import numpy as np
import pytest

from imusim.video.crowd import Meeting, Member
from imusim.video.naming import name_people


def looks(*bins: int) -> np.ndarray:
    out = np.full(48, 0.02)
    out[list(bins)] = 1.0
    return (out / np.linalg.norm(out)).astype(np.float32)


RED, GREEN, BLUE = looks(1, 9, 17), looks(2, 10, 18), looks(3, 11, 19)
END, ROWS = 60, 120


def member(before, after, first=0):
    rows = dict.fromkeys(range(first, 50), before) | {r: after for r in range(END, ROWS) if after is not None}
    return Member(None, first, rows)


def owners(people):
    """Tracker of each person in every row, (people, ROWS), −1 where none."""
    out = np.full((len(people), ROWS), -1)
    for i, person in enumerate(people):
        for s in person.stretches:
            out[i, s.first : s.last] = s.member
    return out


def test_an_exchange_is_put_right():
    people = name_people(
        [member(RED, GREEN), member(GREEN, RED)], [Meeting((0, 1), 50, END, 0.1, True)], ROWS
    )
    who = owners(people)
    assert len(people) == 2
    assert (who[:, :50] == [[0], [1]]).all()
    assert (who[:, 50:END] == -1).all()  # while they meet, nobody knows where they changed
    assert (who[:, END:] == [[1], [0]]).all()
    assert all(p.notes and not p.cut for p in people)


def test_those_who_stay_themselves_keep_their_rows_also_while_they_meet():
    people = name_people(
        [member(RED, RED), member(GREEN, GREEN)], [Meeting((0, 1), 50, END, 0.1, True)], ROWS
    )
    np.testing.assert_array_equal(owners(people), [[0] * ROWS, [1] * ROWS])


def test_nobody_can_tell():
    people = name_people([member(RED, RED), member(RED, RED)], [Meeting((0, 1), 50, END, 0.1, True)], ROWS)
    assert len(people) == 4
    assert [p.cut for p in people] == [[50], [50], [], []]
    assert (owners(people)[2:, :END] == -1).all()
    side_by_side = [Meeting((0, 1), 50, END, 0.45, False)]
    assert len(name_people([member(RED, RED), member(RED, RED)], side_by_side, ROWS)) == 2


@pytest.mark.parametrize(("after", "expected"), [(RED, [0]), (GREEN, [1])])
def test_one_goes_on_alone(after, expected):
    """The other one left behind them, and the tracker that goes on may be on either."""
    people = name_people(
        [member(RED, after), member(GREEN, None)], [Meeting((0, 1), 50, END, 0.1, True)], ROWS
    )
    who = owners(people)
    later = [i for i in range(len(people)) if (who[i, END:] == 0).all()]
    assert later == expected
    assert not any(p.cut for p in people)


def test_two_meetings_one_after_the_other():
    """0 and 1 are exchanged, then 1 and 2: names follow both."""
    rows = 200
    seen = [
        {(0, 50): RED, (60, 200): GREEN},
        {(0, 50): GREEN, (60, 110): RED, (120, 200): BLUE},
        {(0, 110): BLUE, (120, 200): RED},
    ]
    members = [Member(None, 0, {r: c for (a, b), c in spans.items() for r in range(a, b)}) for spans in seen]
    meetings = [Meeting((0, 1), 50, 60, 0.1, True), Meeting((1, 2), 110, 120, 0.1, True)]
    people = name_people(members, meetings, rows)
    assert len(people) == 3
    tracker = [{r: s.member for s in p.stretches for r in (s.first, s.last - 1)} for p in people]
    assert tracker[0][0] == 0
    assert tracker[0][199] == 2  # the red one
    assert tracker[1][199] == 0
    assert tracker[2][199] == 1
