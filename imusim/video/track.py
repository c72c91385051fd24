"""Follow one person through a video with an estimator that knows only one image and one person.

Each frame, the estimator sees a square window around where the person should be, so that others stay outside and
small people are seen large. What it says is then checked against what a person can do and what this person looks
like; a jump is refused, a slow change of identity is flagged, a lost person is looked for again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.appearance import (
    BODY,
    TORSO,
    bone_lengths,
    bounding_box,
    colour_signature,
    region_around,
    scale_px_per_m,
)
from imusim.video.estimator import Landmarks, PoseEstimator, RegionEstimator
from imusim.video.people import PersonChoice, choose, cut_out, find_people, moved
from imusim.video.region import Window, window
from imusim.video.still import StillPicture

_WINDOW_M = 2.5  # side of the window around the person, in the person's own metres
_SPEED = 9.0  # fastest believable motion of the torso across the picture, m/s
_LOOK_EVERY_S = 0.2  # while nobody is followed
_LEARN_S = 2.0  # the person's looks adapt over this time (clouds, shade)
_GIVE_UP_S = 3.0  # after this long, take somebody else, and say so
_SURE = 0.85  # similarity of colours below which a person found again may be somebody else
_RESOLVED = 256  # px that an estimator resolves, where it is told where to look
_SETTLE = 2  # estimates of the first frame that are thrown away
_FORGET_S = 1.0  # after this long without the person, the place says little and looks decide


@dataclass(frozen=True)
class Tracked:
    """What the tracker says of a frame.

    Parameters
    ----------
    person : landmarks in pixels of the whole image, or None
    quality : 0 … 1
    switched : the track seems to be on another person from here on
    retract : how many frames before this one turned out to show somebody else
    part : the window of the picture that was looked at, if the estimator is told where to look
    repeated : whether the picture was the one before, and the landmarks are therefore
    """

    person: Landmarks | None
    quality: float
    switched: bool
    retract: int = 0
    part: Window | None = None
    repeated: bool = False


class PersonTracker:
    """Follows one person from frame to frame.

    Parameters
    ----------
    estimator : finds one person in a window
    choice : whom to follow
    size_px : (width, height) of the frames that will come
    """

    def __init__(self, estimator: PoseEstimator, choice: PersonChoice, size_px: tuple[int, int]) -> None:
        self.estimator = estimator
        self.choice = choice
        self.size_px = size_px
        self.looks: Floats | None = None  # colour signature of the person, slowly adapting
        self.bones: Floats | None = None
        self._still = StillPicture()
        self._part: Window | None = None
        self._repeated = False
        self._side = 0
        self._drop(None)
        self._next_look_s = -np.inf
        self._ever = False
        self._tell_switch = False

    def new_shot(self) -> None:
        """A cut: places mean nothing any more; the person's looks still do."""
        self._drop(None)
        self._next_look_s = -np.inf

    def __call__(self, rgb: NDArray[np.uint8], time_s: float) -> Tracked:
        """Take the next frame, (h, w, 3) uint8, at a later time."""
        nobody = Tracked(None, 0.0, False)
        if time_s < self.choice.from_s - 1e-9:
            return nobody
        if self._centre is None:
            if time_s < self._next_look_s:
                return nobody
            self._next_look_s = time_s + _LOOK_EVERY_S - 1e-6
            found = self._look(rgb, time_s)
            if found is None:
                return nobody
            person, switched = found
            self._start(person, time_s)
            for _ in range(_SETTLE):  # the estimator's own region of interest settles on the person
                self._estimate(rgb, time_s)
                self._still.forget()
            looks = colour_signature(rgb, person)
            if switched:
                self.looks = self.bones = None  # from now on this is the person
            elif looks is not None and self.looks is not None:
                switched = float(looks @ self.looks) < _SURE
            self._tell_switch |= switched
        seen = self._estimate(rgb, time_s)
        problem = "lost" if seen is None else self._problem(seen, time_s)
        if seen is None or problem:
            self._missed += 1
            # one bad frame may pass; then the estimator must look anew
            if self._missed >= 2:
                self.estimator.reset()
            if time_s - self._time_s > 0.25 or problem == "gone":
                self._drop(self._place(time_s))
                self._next_look_s = time_s
            return nobody
        if self._is_somebody_else(rgb, seen, time_s):
            odd = self._odd - 1
            self._drop(self._place(time_s))
            self._next_look_s = time_s
            return Tracked(None, 0.0, False, odd)
        quality = self._quality(seen)
        self._follow(rgb, seen, time_s)
        switched, self._tell_switch = self._tell_switch, False
        return Tracked(seen, quality, switched, 0, self._part, self._repeated)

    # -- looking for the person ---------------------------------------------------------------------------------

    def _look(self, rgb: NDArray[np.uint8], time_s: float) -> tuple[Landmarks, bool] | None:
        """Find whom to follow: (the person, whether it may be somebody else), or None."""
        if not self._ever:
            box = self.choice.box_px(self.size_px)
            people = find_people(self.estimator, rgb, within=box)
            if not people and box is None:
                self._looks_taken += 1
                people = find_people(self.estimator, rgb, thorough=self._looks_taken % 5 == 1)
            best = choose([p for p in people if p.visibility[BODY].mean() > 0.5], self.choice, self.size_px)
            return None if best is None else (best, False)
        people = []
        if self._last_place is not None:
            centre, size, since = self._last_place
            reach = size * (1.2 + 0.5 * _SPEED / 1.7 * min(time_s - since, _FORGET_S))
            near = np.concatenate([centre - reach, centre + reach])
            people = find_people(self.estimator, rgb, within=near)
        if not people:
            self._looks_taken += 1
            people = find_people(self.estimator, rgb, thorough=self._looks_taken % 10 == 5)
        scored = sorted(((self._likeness(rgb, p, time_s), i) for i, p in enumerate(people)), reverse=True)
        if not scored:
            return None
        score, index = scored[0]
        if score > 0.5:
            return people[index], False
        if self._last_place is not None and time_s - self._last_place[2] < _GIVE_UP_S:
            return None
        # the chosen one is gone: somebody like them, else whoever fits the choice now, and say so
        if score > 0.15:
            return people[index], True
        people = [p for p in people if p.visibility[BODY].mean() > 0.5]
        other = None if self.choice.how == "box" else choose(people, self.choice, self.size_px)
        return None if other is None else (other, True)

    def _likeness(self, rgb: NDArray[np.uint8], person: Landmarks, time_s: float) -> float:
        """How far this may be the person who was followed, 0 … 1: colours, and place while it is fresh."""
        looks = colour_signature(rgb, person)
        same = 0.8 if looks is None or self.looks is None else float(looks @ self.looks)
        score = np.clip((same - 0.7) / 0.2, 0.0, 1.0)
        if self._last_place is not None and time_s - self._last_place[2] < _FORGET_S:
            centre, size, since = self._last_place
            scale = scale_px_per_m(person)[0]
            gone = np.linalg.norm(person.px[TORSO].mean(axis=0) - centre) / max(size / 1.7, 1e-9)
            allowed = 0.4 + _SPEED * (time_s - since)
            ratio = abs(np.log(max(scale, 1e-9) * 1.7 / size))
            score *= np.exp(-((gone / allowed) ** 2)) ** 0.5 * np.exp(-((ratio / 0.5) ** 2))
        return float(score)

    # -- following ----------------------------------------------------------------------------------------------

    def _start(self, person: Landmarks, time_s: float) -> None:
        self.estimator.reset()
        self._ever = True
        self._time_s = time_s
        self._scale = scale_px_per_m(person)[0]
        self._centre = _middle(person)
        self._torso = person.px[TORSO].mean(axis=0)
        self._velocity = np.zeros(2)
        self._missed = 0
        self._side = 0
        self._region = region_around(person)
        self._odd, self._odd_since_s = 0, time_s
        self._scales.clear()

    def _estimate(self, rgb: NDArray[np.uint8], time_s: float) -> Landmarks | None:
        if self._centre is None:
            return None
        self._repeated = self._still.unchanged(rgb)
        if self._repeated:
            return self._still.seen
        side = _WINDOW_M * self._scale
        if not 0.87 < self._side / side < 1.15:  # keep the window's size while it serves
            self._side = int(np.clip(2 * round(side / 2), 64, 1.5 * max(self.size_px)))
        ahead = self._velocity * (time_s - self._time_s)
        x0, y0 = (int(v) for v in np.rint(self._centre + ahead - self._side / 2))
        around = cut_out(rgb, x0, y0, self._side, self._side)
        if isinstance(self.estimator, RegionEstimator):
            region = self._region.moved(ahead)
            self._part = window(rgb, region, _RESOLVED)
            seen = self.estimator.look(self._part, region)
        else:
            seen = self.estimator(around, time_s)
            seen = None if seen is None else moved(seen, float(x0), float(y0))
        if seen is None:
            self._still.forget()
            return None
        if seen.region is not None:
            self._region = seen.region
        self._still.keep(around, x0, y0, seen)
        return seen

    def _problem(self, seen: Landmarks, time_s: float) -> str:
        """Why this cannot be the person who was here a moment ago, or nothing."""
        scale, residual = scale_px_per_m(seen)
        inside = ((seen.px[BODY] >= 0) & (seen.px[BODY] < self.size_px)).all(axis=1).mean()
        if inside < 0.25:
            return "gone"
        if scale <= 0 or residual > 0.2 or float(seen.visibility[BODY].mean()) < 0.25:
            return "no person"
        dt = time_s - self._time_s
        expected = self._torso + self._velocity * dt
        jump = float(np.linalg.norm(seen.px[TORSO].mean(axis=0) - expected)) / self._scale
        if jump > 0.12 + _SPEED * min(dt, 0.3):
            return "jump"
        if abs(np.log(scale / self._scale)) > 0.35 + 1.5 * min(dt, 0.3):
            return "size"
        return ""

    def _is_somebody_else(self, rgb: NDArray[np.uint8], seen: Landmarks, time_s: float) -> bool:
        """Whether colours, size and bones have been somebody else's for a while."""
        looks = colour_signature(rgb, seen)
        if looks is None or self.looks is None or self.bones is None:
            return False
        colour = float(looks @ self.looks)
        bones = float(np.median(np.abs(np.log(bone_lengths(seen) / self.bones))))
        usual = float(np.median(self._scales)) if self._scales else self._scale
        size = abs(float(np.log(scale_px_per_m(seen)[0] / usual)))
        if colour > 0.88 or not (colour < 0.78 or bones > 0.25 or size > 0.2):
            self._odd, self._odd_since_s = 0, time_s
            return False
        self._odd += 1
        return self._odd >= 3 and time_s - self._odd_since_s > 0.1

    def _quality(self, seen: Landmarks) -> float:
        """Trust in this frame: visibility × agreement of flat and solid landmarks × size × steadiness, 0 … 1."""
        scale, residual = scale_px_per_m(seen)
        visible = float(seen.visibility[BODY].mean())
        inside = float(((seen.px[BODY] >= 0) & (seen.px[BODY] < self.size_px)).all(axis=1).mean())
        agreement = float(np.exp(-((residual / 0.10) ** 2)))
        large = float(np.clip((scale * 1.7 - 30.0) / 90.0, 0.0, 1.0))
        usual = float(np.median(self._scales)) if self._scales else scale
        steady = float(np.exp(-((np.log(scale / usual) / 0.3) ** 2)))
        return float(np.clip(visible * (0.3 + 0.7 * inside) * agreement * large * steady, 0.0, 1.0))

    def _follow(self, rgb: NDArray[np.uint8], seen: Landmarks, time_s: float) -> None:
        scale = scale_px_per_m(seen)[0]
        torso, dt = seen.px[TORSO].mean(axis=0), time_s - self._time_s
        if dt > 0:
            blend = min(1.0, dt / 0.08)
            self._velocity += blend * (
                np.clip((torso - self._torso) / dt, -9 * scale, 9 * scale) - self._velocity
            )
        self._time_s, self._torso, self._missed = time_s, torso, 0
        self._scale += min(1.0, max(dt, 0.01) / 0.15) * (scale - self._scale)
        self._centre = _middle(seen)
        self._scales.append(scale)
        if float(seen.visibility[BODY].mean()) < 0.6 or self._odd:
            return
        looks, bones = colour_signature(rgb, seen), bone_lengths(seen)
        step = min(max(dt, 0.005) / _LEARN_S, 1.0)
        if looks is not None and (self.looks is None or float(looks @ self.looks) > 0.85):
            self.looks = looks if self.looks is None else _unit(self.looks + step * (looks - self.looks))
        self.bones = bones if self.bones is None else self.bones + step * (bones - self.bones)

    def _place(self, time_s: float) -> tuple[Floats, float, float]:
        """Where the person was last seen: (torso px, body height px, time)."""
        return self._torso + self._velocity * min(0.3, time_s - self._time_s), 1.7 * self._scale, self._time_s

    def _drop(self, place: tuple[Floats, float, float] | None) -> None:
        self.estimator.reset()
        self._still.forget()
        self._centre: Floats | None = None
        self._last_place = place
        self._looks_taken = 0
        self._scales: deque[float] = deque(maxlen=31)
        self._missed = self._odd = 0
        self._odd_since_s = -np.inf
        self._torso, self._velocity, self._scale, self._time_s = np.zeros(2), np.zeros(2), 1.0, -np.inf


def _middle(person: Landmarks) -> Floats:
    """Where the window should sit: the middle of the landmarks' box, pulled to the torso."""
    box = bounding_box(person)
    return 0.6 * 0.5 * (box[:2] + box[2:]) + 0.4 * person.px[TORSO].mean(axis=0)


def _unit(signature: Floats) -> Floats:
    return signature / max(float(np.linalg.norm(signature)), 1e-12)
