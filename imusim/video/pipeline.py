"""The loop: decode (in a thread) → shot → tracked person → arrays."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.video.appearance import bounding_box
from imusim.video.decode import DecodeCounts, Frame, VideoInfo, frames
from imusim.video.estimator import Landmarks, PoseEstimator, RegionEstimator
from imusim.video.lines import Background
from imusim.video.people import PersonChoice
from imusim.video.second_look import SecondLook
from imusim.video.shots import CameraMotion, ShotDetector
from imusim.video.track import PersonTracker, Tracked
from imusim.video.upright import Upright

MAX_SIDE = 1920  # larger frames are scaled down by the decoder; the networks look at 256 px anyway
_QUEUE = 6


class Harvest:
    """What was found in the frames so far, about 1 kB a frame.

    A row is (33, 6) float32: world x, y, z (m), px x, y, visibility; float32 is what the estimator gives.
    """

    def __init__(self, landmarks: int) -> None:
        self.count = landmarks
        self.time_s: list[float] = []
        self.rows: list[NDArray[np.float32] | None] = []
        self.others: dict[int, NDArray[np.float32]] = {}
        self.shot: list[int] = []
        self.quality: list[float] = []
        self.switched: list[bool] = []
        self.background = Background()
        self.lines_px: dict[str, list[list[float]]] = {}

    def end_shot(self, shot: int, scale: float) -> None:
        """Keep the straight lines of the shot's still background (`scale`: seen over full size) and forget its frames."""
        self.lines_px[str(shot)] = (self.background.segments() / scale).round(2).tolist()
        self.background = Background()

    def add(self, time_s: float, shot: int, seen: Tracked, scale: float) -> None:
        """Take a frame whose image was scaled by `scale`; what it takes back is forgotten."""
        for i in range(max(0, len(self.rows) - seen.retract), len(self.rows)):
            self.rows[i], self.quality[i], self.switched[i] = None, 0.0, False
            self.others.pop(i, None)
        row = None if seen.person is None else _row(seen.person, scale)
        self.time_s.append(time_s)
        self.rows.append(row)
        self.shot.append(shot)
        self.quality.append(seen.quality)
        self.switched.append(seen.switched)

    def skip(self, time_s: float, shot: int) -> None:
        """Note a frame that was not looked at."""
        self.time_s.append(time_s)
        self.rows.append(None)
        self.shot.append(shot)
        self.quality.append(0.0)
        self.switched.append(False)

    def revise(self, row: int, person: Landmarks, scale: float) -> None:
        """Better landmarks of a frame, unless it was taken back."""
        if self.rows[row] is not None:
            self.rows[row] = _row(person, scale)
            if person.other is not None:
                self.others[row] = _row(person.other, scale)

    def undo_cut(self, shot: int) -> None:
        """The last cut was a flash: its frames belong to this shot."""
        for i in range(len(self.shot) - 1, -1, -1):
            if self.shot[i] <= shot:
                break
            self.shot[i] = shot

    def arrays(self, until: int | None = None) -> dict[str, NDArray[Any]]:
        """Everything (or the first rows) as arrays, NaN where nobody was found (visibility 0)."""
        rows = self.rows[:until]
        table = np.full((len(rows), self.count, 6), np.nan)
        table[:, :, 5] = 0.0
        for i, row in enumerate(rows):
            if row is not None:
                table[i] = row
        return {
            "time_s": np.array(self.time_s[:until], dtype=np.float64),
            "landmarks_m": np.ascontiguousarray(table[..., :3]),
            "landmarks_px": np.ascontiguousarray(table[..., 3:5]),
            "visibility": np.ascontiguousarray(table[..., 5]),
            "shot": np.array(self.shot[:until], dtype=np.int64),
            "quality": np.array(self.quality[:until], dtype=np.float64),
            "switched": np.array(self.switched[:until], dtype=np.bool_),
        }

    def checkpoint(self, until: int | None) -> dict[str, NDArray[Any]]:
        """What `restore` needs: `arrays`, and the other answers."""
        rows = [row for row in sorted(self.others) if until is None or row < until]
        others = np.array([self.others[row] for row in rows], dtype=np.float32)
        return self.arrays(until) | {
            "other_rows": np.array(rows, dtype=np.int64),
            "others": others.reshape(-1, self.count, 6),
        }

    def restore(self, arrays: dict[str, NDArray[Any]], lines_px: dict[str, list[list[float]]]) -> None:
        """Take over what `checkpoint` and `lines_px` gave."""
        parts = (arrays["landmarks_m"], arrays["landmarks_px"], arrays["visibility"][..., None])
        table = np.concatenate(parts, axis=-1).astype(np.float32)
        found = np.asarray(np.isfinite(table).all(axis=(1, 2))).tolist()
        self.rows = [row if ok else None for row, ok in zip(table, found, strict=True)]
        self.time_s = arrays["time_s"].tolist()
        self.shot = arrays["shot"].tolist()
        self.quality = arrays["quality"].tolist()
        self.switched = arrays["switched"].tolist()
        self.lines_px = dict(lines_px)
        self.others = dict(zip(arrays["other_rows"].tolist(), arrays["others"], strict=True))


def _row(person: Landmarks, scale: float) -> NDArray[np.float32]:
    return np.column_stack([person.world_m, person.px / scale, person.visibility]).astype(np.float32)


def in_thread(source: Iterator[tuple[float, Frame]], size: int = _QUEUE) -> Iterator[tuple[float, Frame]]:
    """Run an iterator in a thread, at most `size` items ahead; its exceptions come out here."""
    ready: queue.Queue[tuple[str, object]] = queue.Queue(maxsize=size)
    stop = threading.Event()

    def put(item: tuple[str, object]) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in source:
                if not put(("item", item)):
                    return
            put(("end", None))
        except BaseException as error:
            put(("error", error))

    thread = threading.Thread(target=work, name="decode", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if isinstance(value, BaseException):
                raise value
            yield value  # type: ignore[misc]
    finally:
        stop.set()
        thread.join(timeout=10.0)


def run(
    path: Path,
    info: VideoInfo,
    estimator: PoseEstimator,
    choice: PersonChoice,
    *,
    fps: float | None,
    progress: bool,
    harvest: Harvest,
    counts: DecodeCounts,
    checkpoint: Callable[[Harvest, int | None], None] | None = None,
    passes: int = 1,
    every: int = 2000,
    spans_s: Sequence[tuple[float, float]] | None = None,
) -> CameraMotion:
    """Fill `harvest` with the track of the chosen person, in pixels of the full-size upright image.

    An estimator that can be told where to look looks `passes` more times at each frame (`second_look`).
    Frames not later than what `harvest` already holds are skipped (a resumed run). With `spans_s` nobody is looked for
    outside of those (start, end) · s, and decoding ends with the last.
    """
    from tqdm import tqdm

    shots, camera = ShotDetector(), CameraMotion()
    scale = min(1.0, MAX_SIDE / max(info.size_px))
    tracker: PersonTracker | None = None
    again: SecondLook | None = None
    upright: Upright | None = None
    done_s = harvest.time_s[-1] if harvest.time_s else -1.0
    shot_before = harvest.shot[-1] if harvest.shot else 0
    shots.shot = shot_before
    rate = min(fps or np.inf, info.fps or 30.0)
    bar = tqdm(
        total=round(info.duration_s * rate) or None,
        desc="pose",
        unit="frame",
        disable=not (progress and sys.stderr.isatty()),
        leave=False,
    )
    source = frames(path, fps, max_side=MAX_SIDE if scale < 1.0 else None, counts=counts, after_s=done_s)
    due = len(harvest.time_s) + every

    def revise(better: Iterable[tuple[int, Landmarks]]) -> None:
        for row, person in better:
            harvest.revise(row, person, scale)

    with bar:
        for time_s, rgb in in_thread(source):
            if spans_s is not None:
                if time_s > max(end for _, end in spans_s):
                    break
                if not any(start <= time_s <= end for start, end in spans_s):
                    harvest.skip(time_s, shot_before)
                    if tracker is not None:
                        tracker.new_shot()
                    bar.update(1)
                    continue
            if tracker is None:
                size = (rgb.shape[1], rgb.shape[0])
                scale = size[0] / info.size_px[0]
                tracker = PersonTracker(estimator, scaled(choice, scale), size)
                if isinstance(estimator, RegionEstimator):
                    upright = Upright(lambda: harvest.background, size)
                    again = SecondLook(estimator, passes, upright)
            shot = shots(rgb)
            if shot != shot_before:
                tracker.new_shot()
                if again is not None:
                    revise(again.end())
                if shot < shot_before:  # it was a flash: the frames in between belong to the old shot
                    harvest.undo_cut(shot)
                else:
                    harvest.end_shot(shot_before, scale)
                    if upright is not None:
                        upright.new_shot()
                shot_before = shot
            harvest.background.add(rgb)
            seen = tracker(rgb, time_s)
            camera(rgb, time_s, shot, None if seen.person is None else bounding_box(seen.person))
            harvest.add(time_s, shot, seen, scale)
            if again is not None:
                row = len(harvest.rows) - 1
                if seen.retract:
                    again.forget(row - seen.retract)
                revise(again.add(row, time_s, seen))
            bar.update(1)
            if checkpoint is not None and len(harvest.time_s) >= due:
                checkpoint(harvest, None if again is None else again.first_row)
                due = len(harvest.time_s) + max(
                    every, len(harvest.time_s) // 6
                )  # all of it is written each time
    if again is not None:
        revise(again.end())
    harvest.end_shot(shot_before, scale)
    return camera


def scaled(choice: PersonChoice, scale: float) -> PersonChoice:
    """The same choice in an image scaled by `scale` (boxes in fractions stay)."""
    if choice.box is None or max(choice.box) <= 1.0 or scale == 1.0:
        return choice
    x0, y0, x1, y1 = (v * scale for v in choice.box)
    return PersonChoice(choice.how, (x0, y0, x1, y1), choice.from_s)
