"""A few frames of a video, by time, without decoding all of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imusim.video.decode import _opened, _picture, _upright

_JUMP_S = 4.0  # decoding on is cheaper than seeking over less than this


def frames_at(
    video: Path | str, times_s: Sequence[float], max_side: int | None = None
) -> list[tuple[float, NDArray[np.uint8]]]:
    """Return frames at or shortly after the given increasing times: (time from the first frame · s, rgb) each.

    Parameters
    ----------
    video : video file
    times_s : increasing · s from the first frame; times after the end give no frame
    max_side : larger frames are scaled down to this longer side · pixels

    Raises
    ------
    VideoError
        If the file is not a video.
    """
    found: list[tuple[float, NDArray[np.uint8]]] = []
    with _opened(Path(video)) as container:
        stream = _picture(container, Path(video))
        stream.thread_type = "AUTO"
        stream.codec_context.skip_frame = (
            "NONREF"  # frames that no other needs: half the work, a frame late at most
        )
        frames = container.decode(stream)
        first = next((f for f in frames if f.pts is not None), None)
        if first is None:
            return []
        base, start = float(first.time_base), float(first.pts * first.time_base)
        frame = first
        for wanted in times_s:
            now = float(frame.pts * base) - start
            if wanted - now > _JUMP_S:
                container.seek(round((wanted + start) / base), stream=stream)
                frames = container.decode(stream)
                frame = next((f for f in frames if f.pts is not None), None)
            while frame is not None and float(frame.pts * base) - start < wanted - 1e-4:
                frame = next((f for f in frames if f.pts is not None), None)
            if frame is None:
                break
            found.append((float(frame.pts * base) - start, _upright(frame, max_side)))
    return found
