"""Look again, where the person was a moment before and after: noise of the estimator must not move its own window.

A network that looks where its last answer was answers anew for every pixel that this moves; a third to a half of the
noise of its landmarks is that (measured; see `docs/design.md`). So each frame is kept for a moment, until it is known
how the person moves on; the squares of the first look are then smoothed in time (position by local straight lines,
size and turn by local means), and the network looks at the smooth square, several times if it is asked to: also in the
mirror, and a little larger, smaller and turned; of somebody who leans, as many times at an upright square (`upright`).
The answers are averaged, names of left and right first agreed; those that see a back and those that see a front apart
(`facing`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from imusim.errors import ConfigError
from imusim.types import Floats
from imusim.video.appearance import BODY, scale_px_per_m
from imusim.video.estimator import Landmarks, RegionEstimator
from imusim.video.facing import by_facing
from imusim.video.region import Region, Window, follow_angle
from imusim.video.sides import READINGS
from imusim.video.track import Tracked
from imusim.video.upright import worth_a_try

MOST_PASSES = 16
_SHORT_FRAMES = 3600
_LAG_S = 0.5  # frames wait so long
_MOST_WAITING = 64  # and so many at most, whatever the frame rate
_PLACE_S, _SIZE_S = 0.15, 0.25  # sd of the weights in time
_BREAK_S = 0.25  # nothing is smoothed across a longer gap
_LARGER, _TURNED = 0.04, 0.02  # further looks: so much larger or smaller; turned, rad
_APART_M = 0.06  # answers further than this from the middle count less
_AGREE_M = 0.01  # looks that agree better than this are equally good
_KEEP = 0.01  # names change only for a better agreement than this, m


def check_passes(passes: int | None, frames: float) -> int:
    """Return how often to look at each frame; None: 4 times in a short clip, twice in one of over 3,600 frames.

    Raises
    ------
    ConfigError
        If it is not a whole number from 1 to 16.
    """
    if passes is None:
        return 4 if frames <= _SHORT_FRAMES else 2
    if isinstance(passes, bool) or int(passes) != passes or not 1 <= passes <= MOST_PASSES:
        raise ConfigError(f"pose passes {passes!r}: wanted a whole number from 1 to {MOST_PASSES}")
    return int(passes)


def variations(passes: int) -> list[tuple[float, float, bool]]:
    """How much larger, how far turned (rad), and whether in the mirror, of each look at a square.

    The first is plain; pairs are symmetric, so that an average is nowhere biased to one side.
    """
    out = []
    for i in range(passes):
        level = (i // 4 + 1) / max((passes + 3) // 4, 1) if passes > 2 else 0.0
        sign = -1.0 if (i // 2) % 2 else 1.0
        mirrored = i % 2 == 1
        out.append(
            (1.0 + sign * level * _LARGER, sign * level * _TURNED * (-1.0 if mirrored else 1.0), mirrored)
        )
    return out


@dataclass(frozen=True)
class _Waiting:
    row: int
    time_s: float
    person: Landmarks
    part: Window | None
    repeated: bool


class SecondLook:
    """Takes what the first look found, frame by frame, and gives better landmarks a moment later.

    Parameters
    ----------
    estimator : asked again
    passes : looks a frame
    upright : how far what is upright leans to the right at a place in the picture, rad; None: nowhere
    """

    def __init__(
        self, estimator: RegionEstimator, passes: int, upright: Callable[[Floats], float] | None = None
    ) -> None:
        self.estimator = estimator
        self._upright = upright
        self._variations = variations(passes)
        self._waiting: deque[_Waiting] = deque()
        self._path: deque[tuple[int, float, Floats]] = deque()  # row, time, (x, y, log side, angle)
        self._last: Landmarks | None = None

    @property
    def first_row(self) -> int | None:
        """The earliest row that still waits."""
        return self._waiting[0].row if self._waiting else None

    def add(self, row: int, time_s: float, seen: Tracked) -> Iterator[tuple[int, Landmarks]]:
        """Take a frame; yield (row, landmarks) of those before it that are ready."""
        if seen.person is None or seen.person.region is None:
            return
        if self._path and time_s - self._path[-1][1] > _BREAK_S:
            yield from self.end()
        region = seen.person.region
        angle = region.angle
        if self._path:
            angle = follow_angle(angle, self._path[-1][2][3])
        self._path.append((row, time_s, np.array([*region.centre, np.log(region.side), angle])))
        self._waiting.append(_Waiting(row, time_s, seen.person, seen.part, seen.repeated))
        while self._waiting and (
            time_s - self._waiting[0].time_s >= _LAG_S or len(self._waiting) > _MOST_WAITING
        ):
            yield self._next()

    def forget(self, row: int) -> None:
        """Frames from this row on showed somebody else."""
        while self._waiting and self._waiting[-1].row >= row:
            self._waiting.pop()
        while self._path and self._path[-1][0] >= row:
            self._path.pop()

    def end(self) -> Iterator[tuple[int, Landmarks]]:
        """The person or the shot ends here; yield what still waits."""
        while self._waiting:
            yield self._next()
        self._path.clear()
        self._last = None

    def _next(self) -> tuple[int, Landmarks]:
        now = self._waiting.popleft()
        while self._path and self._path[0][1] < now.time_s - _LAG_S:
            self._path.popleft()
        if now.repeated and self._last is not None:
            return now.row, self._last
        found = self._look(now) if now.part is not None else []
        self._last = agreed(*map(list, zip(*found, strict=True))) if found else now.person
        return now.row, self._last

    def _look(self, now: _Waiting) -> list[tuple[Landmarks, float]]:
        """Return what each look saw, and how far it is to be believed."""
        assert now.part is not None
        region = self._smooth(now.time_s)
        found = [(seen, 1.0) for seen in self._looks(now.part, region)]
        up = 0.0 if self._upright is None else self._upright(region.centre)
        share = worth_a_try(region.angle - up)
        if share > 0.0 and len(self._variations) > 1:
            other = self._looks(now.part, Region(region.centre, region.side, up))
            weights = by_spread([seen for seen, _ in found]), share * by_spread(other)
            found = [(seen, weights[0]) for seen, _ in found] + [(seen, weights[1]) for seen in other]
        return found

    def _looks(self, part: Window, region: Region) -> list[Landmarks]:
        found = []
        for larger, turned, mirrored in self._variations:
            square = Region(region.centre, region.side * larger, region.angle + turned)
            seen = self.estimator.look(part, square, mirrored=mirrored)
            if seen is not None:
                found.append(seen)
        return found

    def _smooth(self, time_s: float) -> Region:
        t = np.array([p[1] for p in self._path]) - time_s
        values = np.stack([p[2] for p in self._path])
        near = np.abs(t) <= _LAG_S + 1e-9
        t, values = t[near], values[near]
        place = _line_at_zero(t, values[:, :2], np.exp(-0.5 * (t / _PLACE_S) ** 2))
        weight = np.exp(-0.5 * (t / _SIZE_S) ** 2)
        size = weight @ values[:, 2:] / weight.sum()
        return Region(place, float(np.exp(size[0])), float(size[1]))


def _line_at_zero(t: Floats, values: Floats, weight: Floats) -> Floats:
    """Value at 0 of the straight line through values (n, k) at t (n,), least squares; the mean if all at one time."""
    total = weight.sum()
    mean_t = weight @ t / total
    mean = weight @ values / total
    spread = weight @ (t - mean_t) ** 2
    if spread < 1e-8 * total:
        return mean
    slope = (weight * (t - mean_t)) @ (values - mean) / spread
    return mean - mean_t * slope


def by_spread(found: list[Landmarks]) -> float:
    """How far looks at one square are believed, by how far they agree: 1 over their mean square, 1/m²."""
    if len(found) < 2:
        return 0.0
    points = np.stack([_points(p, max(scale_px_per_m(found[0])[0], 1.0))[BODY] for p in found])
    spread = np.median(np.linalg.norm(points - np.median(points, axis=0), axis=-1), axis=1).mean()
    return float(1.0 / (spread**2 + _AGREE_M**2))


def agreed(found: list[Landmarks], believed: list[float] | None = None) -> Landmarks:
    """One answer out of several to the same picture, and the other one if they do not agree about front and back.

    Parameters
    ----------
    found : what each look saw
    believed : weight of each; None: all the same
    """
    groups = by_facing(found, believed)
    means = [_mean(people, weight) for people, weight in groups]
    return means[0] if len(means) == 1 else replace(means[0], other=means[1])


def _points(person: Landmarks, scale: float) -> Floats:
    return np.column_stack([person.px / scale, 0.5 * person.world_m[:, 2]])


def _mean(found: list[Landmarks], believed: Floats) -> Landmarks:
    """Names of left and right as in the first, a robust mean."""
    if len(found) == 1:
        return found[0]
    scale = max(scale_px_per_m(found[0])[0], 1.0)
    first = _points(found[0], scale)
    orders = [READINGS[0]]
    for person in found[1:]:
        here = _points(person, scale)
        cost = [
            np.linalg.norm((here[order] - first)[BODY], axis=1).mean() + _KEEP * (i > 0)
            for i, order in enumerate(READINGS)
        ]
        orders.append(READINGS[int(np.argmin(cost))])
    together = np.stack([_points(p, scale)[o] for p, o in zip(found, orders, strict=True)])
    off = np.linalg.norm(together - np.median(together, axis=0), axis=-1)
    weight = believed[:, None] / (1.0 + (off / _APART_M) ** 2)
    weight /= weight.sum(axis=0)

    def mean(name: str) -> Floats:
        values = np.stack([getattr(p, name)[o] for p, o in zip(found, orders, strict=True)])
        return np.einsum("nl,nl...->l...", weight, values)

    return Landmarks(mean("world_m"), mean("px"), mean("visibility"), mean("presence"), found[0].region)
