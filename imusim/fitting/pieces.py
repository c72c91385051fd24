"""Which frames belong together: shots, gaps, and people who change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.errors import NoPersonError
from imusim.types import PoseTrack

MIN_FRAMES = 5


@dataclass(frozen=True)
class Pieces:
    """How a track falls into parts that are fitted separately.

    Attributes
    ----------
    pieces : (first, last + 1) frame of each
    seen : (T,) bool, frames whose landmarks are used
    gaps_bridged, gaps_cut, switches, dropped : counts: short gaps filled, long gaps, changes of person, pieces too
        short to fit
    """

    pieces: tuple[tuple[int, int], ...]
    seen: NDArray[np.bool_]
    gaps_bridged: int
    gaps_cut: int
    switches: int
    dropped: int


def find_pieces(track: PoseTrack, max_gap_s: float) -> Pieces:
    """Split a track at shot cuts, at gaps longer than `max_gap_s`, and where the person changes for good.

    When a flagged jump to another person is undone within `max_gap_s` (the track jumps back to where it was),
    the frames between count as not seen.

    Raises
    ------
    NoPersonError
        If no part has at least five frames with a person.
    """
    seen = track.detected & (track.quality > 0.0)
    time, count = track.time_s, track.time_s.size
    if not seen.any():
        raise NoPersonError(
            f"no person was found in any of the {count} frames. Check that a whole person is visible, or choose one "
            'with person="x,y,w,h".'
        )
    seen, cuts, switches = _undo_switches(track, seen, max_gap_s)
    pieces: list[tuple[int, int]] = []
    bridged = cut = dropped = 0
    frames = np.flatnonzero(seen)
    start = last = int(frames[0])
    number = 1

    def close(first: int, end: int, n: int) -> None:
        nonlocal dropped
        if n >= MIN_FRAMES:
            pieces.append((first, end + 1))
        else:
            dropped += 1

    for frame in frames[1:].tolist():
        new_shot = track.shot[frame] != track.shot[last]
        gap = time[frame] - time[last] > max_gap_s and frame - last > 1
        if new_shot or gap or cuts[last + 1 : frame + 1].any():
            close(start, last, number)
            cut += int(gap)
            start, number = frame, 0
        elif frame - last > 1:
            bridged += 1
        last = frame
        number += 1
    close(start, last, number)
    if not pieces:
        raise NoPersonError(
            f"a person was found in only {frames.size} of {count} frames, never for {MIN_FRAMES} frames together; "
            "nothing can be said of the motion."
        )
    return Pieces(tuple(pieces), seen, bridged, cut, switches, dropped)


def _undo_switches(
    track: PoseTrack, seen: NDArray[np.bool_], max_gap_s: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
    """Frames seen of the same person, frames where a piece must start, number of switches."""
    seen = seen.copy()
    cuts = np.zeros(seen.size, dtype=np.bool_)
    flags = np.flatnonzero(track.switched).tolist()
    middle = np.nanmedian(np.where(seen[:, None, None], track.landmarks_px, 0.0), axis=1)  # (T, 2)
    size = np.nanmax(np.where(seen[:, None, None], track.landmarks_px, 0.0), axis=1) - np.nanmin(
        np.where(seen[:, None, None], track.landmarks_px, 0.0), axis=1
    )
    switches = len(flags)
    while flags:
        frame = flags.pop(0)
        before = np.flatnonzero(seen[:frame])
        back = None
        if before.size:
            home = int(before[-1])
            for other in flags:
                if track.time_s[other] - track.time_s[home] > max_gap_s:
                    break
                if seen[other] and np.hypot(*(middle[other] - middle[home])) < 0.3 * size[home].max():
                    back = other
                    break
        if back is None:
            cuts[frame] = True
        else:
            seen[frame:back] = False
            flags = [f for f in flags if f > back]
    return seen, cuts, switches
