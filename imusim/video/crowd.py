"""Follow everybody in a video: a tracker each, new people noticed, lost ones looked for, nobody followed twice.

What this says of each frame is raw: where two people pass each other in the picture, a tracker may leave with the
other one. Every such meeting is noted with what both looked like before; `naming` decides afterwards who is who.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from imusim.types import Floats
from imusim.video.appearance import BODY, TORSO, colour_signature, scale_px_per_m
from imusim.video.estimator import Landmarks, RegionEstimator
from imusim.video.people import PersonChoice, find_people
from imusim.video.track import PersonTracker, Tracked

MOST_PEOPLE = 12
_LOOK_S, _LOST_LOOK_S, _NEW_LOOK_S = 0.35, 0.2, 0.1  # between looks; after a loss; to confirm somebody
_JUST_LOST_S = 2.0
_SMALLEST_PX = 80.0  # height of people worth a recording
_SEEN = 0.5  # mean visibility of somebody new
_TAKEN_M = 0.45  # people whose torsos are nearer than this, with like sizes, are one
_LIKE_SIZE = 0.4  # ln
_CONFIRM_S = 1.2  # somebody new is seen twice within this time
_MEET_M, _PART_M = (
    0.6,
    0.8,
)  # torsos this near in the picture: a meeting; over when further apart than the second
_ONE_M = 0.2  # two trackers this near are on one person
_ONE_FRAMES = 3
_LIKENESS = 0.5  # of a lost person at least
_LONG_GONE_S = 1.0
_SAME_LOOKS = 0.92  # colours of somebody who comes back after longer than that


@dataclass
class Meeting:
    """Two people pass each other in the picture.

    Parameters
    ----------
    pair : numbers of the two trackers
    start, end : rows, the first and the one after the last; end None: not over yet
    nearest_m : least distance of their torsos in the picture
    lost : whether one of them was lost, or both trackers were on one person
    """

    pair: tuple[int, int]
    start: int
    end: int | None = None
    nearest_m: float = np.inf
    lost: bool = False


class Follower(PersonTracker):
    """A tracker that does not look for people itself; `take` tells it whom to follow."""

    def __init__(self, estimator: RegionEstimator, size_px: tuple[int, int]) -> None:
        super().__init__(estimator, PersonChoice("largest"), size_px)
        self._given: Landmarks | None = None

    def take(self, person: Landmarks) -> None:
        """Follow this one from the next frame on."""
        self._given, self._next_look_s = person, -np.inf

    def _look(self, rgb: NDArray[np.uint8], time_s: float) -> tuple[Landmarks, bool] | None:
        given, self._given = self._given, None
        return None if given is None else (given, False)

    def let_go(self, time_s: float) -> None:
        """This is somebody else's; the person is lost."""
        if self._centre is not None:
            self._drop(self._place(time_s))

    @property
    def following(self) -> bool:
        """Whether somebody is followed right now."""
        return self._centre is not None

    @property
    def last_s(self) -> float:
        """When the person was last seen, s; −inf before, and after a cut."""
        if self._centre is not None:
            return self._time_s
        return -np.inf if self._last_place is None else self._last_place[2]

    def likeness(self, rgb: NDArray[np.uint8], person: Landmarks, time_s: float) -> float:
        """How far somebody who was found may be the one who was followed, 0 … 1."""
        looks = colour_signature(rgb, person)
        if time_s - self.last_s > _LONG_GONE_S and (
            looks is None or self.looks is None or float(looks @ self.looks) < _SAME_LOOKS
        ):
            return 0.0
        return self._likeness(rgb, person, time_s)


@dataclass
class Member:
    """One tracker and what it knows frame by frame: colours where nobody is near (rows of `looks`)."""

    tracker: Follower
    first_row: int
    looks: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    seen: Tracked = field(default_factory=lambda: Tracked(None, 0.0, False))


class Crowd:
    """Follows everybody.

    Parameters
    ----------
    estimator : told where to look, so that one serves all
    size_px : (width, height) of the frames that will come

    Attributes
    ----------
    members : the trackers, in the order they were begun
    meetings : who passed whom
    missed : how many more people there were than are followed at a time (`MOST_PEOPLE`)
    """

    def __init__(self, estimator: RegionEstimator, size_px: tuple[int, int]) -> None:
        self.estimator, self.size_px = estimator, size_px
        self.members: list[Member] = []
        self.meetings: list[Meeting] = []
        self.missed = 0
        self._next_look_s = -np.inf
        self._rounds = 0
        self._maybe: list[tuple[float, Landmarks]] = []
        self._together: dict[tuple[int, int], int] = {}

    def new_shot(self, row: int) -> None:
        """A cut: places mean nothing any more, colours do."""
        for member in self.members:
            member.tracker.new_shot()
        for meeting in self._open():
            meeting.end = row
        self._maybe, self._next_look_s = [], -np.inf
        self._together.clear()

    def __call__(self, rgb: NDArray[np.uint8], time_s: float, row: int) -> list[Tracked]:
        """Take the next frame; what each member shows in it."""
        if time_s >= self._next_look_s:
            self._look(rgb, time_s, row)
        for member in self.members:
            member.seen = member.tracker(rgb, time_s)
            for back in range(member.seen.retract):
                member.looks.pop(row - 1 - back, None)
        self._meet(rgb, time_s, row)
        near = {i for m in self._open() for i in m.pair}
        for i, member in enumerate(self.members):
            if member.seen.person is not None and i not in near:
                looks = colour_signature(rgb, member.seen.person)
                if looks is not None:
                    member.looks[row] = looks.astype(np.float32)
        return [member.seen for member in self.members]

    def _open(self) -> list[Meeting]:
        return [m for m in self.meetings if m.end is None]

    # -- who is there -------------------------------------------------------------------------------------------

    def _look(self, rgb: NDArray[np.uint8], time_s: float, row: int) -> None:
        lost = [m for m in self.members if not m.tracker.following]
        fresh = any(time_s - m.tracker.last_s < _JUST_LOST_S for m in lost)
        people = find_people(self.estimator, rgb, thorough=self._rounds % 4 == 0)
        self._rounds += 1
        held = [m.seen.person for m in self.members if m.tracker.following and m.seen.person is not None]
        free = [p for p in people if not any(_one(p, h, _TAKEN_M) for h in held)]
        if lost and free:
            score = np.array([[m.tracker.likeness(rgb, p, time_s) for p in free] for m in lost])
            taken = set()
            for i, j in zip(*linear_sum_assignment(-score), strict=True):
                if score[i, j] > _LIKENESS:
                    lost[i].tracker.take(free[j])
                    taken.add(j)
            free = [p for j, p in enumerate(free) if j not in taken]
        self._begin(free, time_s, row)
        wait = _NEW_LOOK_S if self._maybe else _LOST_LOOK_S if fresh else _LOOK_S
        self._next_look_s = time_s + wait - 1e-6

    def _begin(self, people: list[Landmarks], time_s: float, row: int) -> None:
        """Take up those who were there a moment ago as well; remember the others."""
        maybe = [(t, p) for t, p in self._maybe if time_s - t <= _CONFIRM_S]
        self._maybe = []
        following = sum(m.tracker.following for m in self.members)
        for person in people:
            if (
                1.7 * scale_px_per_m(person)[0] < _SMALLEST_PX
                or float(person.visibility[BODY].mean()) < _SEEN
            ):
                continue
            seen_before = any(_one(person, p, 0.5 + 3.0 * (time_s - t)) for t, p in maybe)
            if not seen_before and row > 0:
                self._maybe.append((time_s, person))
            elif following >= MOST_PEOPLE:
                self.missed = max(self.missed, following + 1 - MOST_PEOPLE)
            else:
                tracker = Follower(self.estimator, self.size_px)
                tracker.take(person)
                self.members.append(Member(tracker, row))
                following += 1

    # -- who passes whom ----------------------------------------------------------------------------------------

    def _meet(self, rgb: NDArray[np.uint8], time_s: float, row: int) -> None:
        seen: dict[int, Landmarks | None] = {
            i: m.seen.person for i, m in enumerate(self.members) if m.seen.person is not None
        }
        open_pairs = {m.pair: m for m in self._open()}
        for meeting in open_pairs.values():
            if not all(i in seen for i in meeting.pair):
                meeting.lost = True
                # one of them does not come back: over, as far as can be known
                if any(time_s - self.members[i].tracker.last_s > _JUST_LOST_S for i in meeting.pair):
                    meeting.end = row
        for i in seen:
            for j in seen:
                a, b = seen.get(i), seen.get(j)
                if i >= j or a is None or b is None:
                    continue
                apart = _apart_m(a, b)
                meeting = open_pairs.get((i, j))
                if meeting is None and apart < _MEET_M:
                    meeting = Meeting((i, j), row)
                    self.meetings.append(meeting)
                elif meeting is not None and apart > _PART_M:
                    meeting.end = row
                    continue
                if meeting is None:
                    continue
                meeting.nearest_m = min(meeting.nearest_m, apart)
                if _one(a, b, _ONE_M):
                    self._together[i, j] = self._together.get((i, j), 0) + 1
                    if self._together[i, j] >= _ONE_FRAMES:
                        loser = self._less_like(rgb, i, a, j, b)
                        self._give_back(loser, time_s, self._together.pop((i, j)) - 1)
                        seen[loser] = None
                        meeting.lost = True
                else:
                    self._together.pop((i, j), None)

    def _less_like(self, rgb: NDArray[np.uint8], i: int, a: Landmarks, j: int, b: Landmarks) -> int:
        """Which of two trackers that are on one person is there by mistake; the one begun later if colours do not tell."""
        score = []
        for k, person in ((i, a), (j, b)):
            looks, known = colour_signature(rgb, person), self.members[k].tracker.looks
            score.append(0.0 if looks is None or known is None else float(looks @ known))
        return i if score[0] < score[1] - 0.02 else j

    def _give_back(self, loser: int, time_s: float, frames: int) -> None:
        member = self.members[loser]
        member.tracker.let_go(time_s)
        member.seen = Tracked(None, 0.0, False, frames)


def _apart_m(a: Landmarks, b: Landmarks) -> float:
    """Distance of two torsos in the picture, in metres of the nearer person."""
    scale = max(scale_px_per_m(a)[0], scale_px_per_m(b)[0], 1e-9)
    return float(np.linalg.norm(_torso(a) - _torso(b))) / scale


def _one(a: Landmarks, b: Landmarks, within_m: float) -> bool:
    """Whether these are one person seen twice."""
    sizes = scale_px_per_m(a)[0], scale_px_per_m(b)[0]
    return _apart_m(a, b) < within_m and abs(np.log(max(sizes[0], 1e-9) / max(sizes[1], 1e-9))) < _LIKE_SIZE


def _torso(person: Landmarks) -> Floats:
    return np.asarray(person.px[TORSO].mean(axis=0), dtype=np.float64)
