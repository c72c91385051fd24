"""BVH: a tree of joints with rotation and position channels in any order."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim import rotation
from imusim.errors import MotionFileError, QualityWarning
from imusim.motion_io.clock import GIVE_RATE, frame_times
from imusim.motion_io.tree import Tree, as_motion
from imusim.types import Floats, Motion

_AXES = {"X": 0, "Y": 1, "Z": 2}
_MAX_DEPTH = 200
_STRETCH = 0.02  # bones that change their length by more than this share are said


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Floats
    channels: list[str] = field(default_factory=list)
    end: Floats | None = None


def read_bvh(
    path: Path, *, rate_hz: float | None = None, up: str | None = None, unit: str | None = None
) -> Motion:
    """Read a BVH file.

    Position channels replace a joint's offset. A root that only carries another joint (Bandai-Namco's
    ``joint_Root``) is merged with it. End sites of head, hands and feet become joints, so that these have a direction.

    Parameters
    ----------
    path : the file

    Other Parameters
    ----------------
    rate_hz : overrides the frame time of the file
    up, unit : override what is found out (y up; the unit from the person's size)

    Raises
    ------
    MotionFileError
        If the hierarchy is broken, a joint lacks channels that the motion needs, or the motion is empty or cut off.

    Warns
    -----
    QualityWarning
        On bones that change their length, and on units and axes that the person contradicts.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    head, mark, motion = text.partition("MOTION")
    if not mark:
        raise MotionFileError(f"{path.name}: there is no MOTION section; the file is cut off or not BVH")
    joints = _hierarchy(head.split(), path.name)
    interval, values = _frames(motion, sum(len(j.channels) for j in joints), path.name)
    if rate_hz is None and not (np.isfinite(interval) and interval > 0):
        raise MotionFileError(f"{path.name}: Frame Time {interval:g} s. Wanted more than 0. {GIVE_RATE}")
    rate = rate_hz if rate_hz is not None else 1.0 / interval
    time_s = frame_times(len(values), rate, path.name)
    tree, metadata = _tree(joints, values, path.name)
    return as_motion(
        tree, time_s, up="y", unit=None, given_up=up, given_unit=unit, source=path.name,
        metadata={"source": path.name, "format": "BVH", "rate_hz": rate, **metadata},
    )  # fmt: skip


def _hierarchy(tokens: list[str], name: str) -> list[_Joint]:
    """Joints in file order."""
    joints: list[_Joint] = []
    stack: list[int] = []
    at, end_site = 0, False

    def take(count: int) -> list[str]:
        nonlocal at
        if at + count > len(tokens):
            raise MotionFileError(f"{name}: the hierarchy ends in the middle of a joint; the file is cut off")
        at += count
        return tokens[at - count : at]

    def numbers(count: int, what: str) -> Floats:
        try:
            out = np.array([float(v) for v in take(count)])
        except ValueError:
            raise MotionFileError(f"{name}: {what} is not {count} numbers") from None
        if not np.isfinite(out).all():
            raise MotionFileError(f"{name}: {what} is not finite")
        return out

    pending: int | None = None
    while at < len(tokens):
        word = take(1)[0].upper()
        if word == "HIERARCHY":
            continue
        if word in ("ROOT", "JOINT"):
            if (word == "ROOT") != (not stack):
                raise MotionFileError(
                    f"{name}: {'a second ROOT inside the first' if stack else 'a JOINT outside of ROOT'}; one tree is read"
                )
            if word == "ROOT" and joints:
                raise MotionFileError(f"{name}: more than one ROOT; split the file into one skeleton each")
            words = []
            while at < len(tokens) and tokens[at] != "{":
                words += take(1)
            joints.append(_Joint(" ".join(words), stack[-1] if stack else -1, np.zeros(3)))
            pending = len(joints) - 1
        elif word == "END":
            take(1)
            end_site = True
        elif word == "{":
            if end_site:
                stack.append(-1)
            elif pending is None:
                raise MotionFileError(f"{name}: a brace without a joint")
            else:
                stack.append(pending)
                pending = None
            if len(stack) > _MAX_DEPTH:
                raise MotionFileError(f"{name}: joints are nested more than {_MAX_DEPTH} deep")
        elif word == "}":
            if not stack:
                raise MotionFileError(f"{name}: a closing brace too many")
            end_site = False if stack.pop() == -1 else end_site
        elif word == "OFFSET":
            offset = numbers(3, "an OFFSET")
            if not stack:
                raise MotionFileError(f"{name}: an OFFSET outside of a joint")
            if stack[-1] == -1:
                joints[stack[-2]].end = offset
            else:
                joints[stack[-1]].offset = offset
        elif word == "CHANNELS":
            count = int(numbers(1, "the number of CHANNELS")[0])
            if not stack or stack[-1] == -1 or not 0 <= count <= 6:
                raise MotionFileError(f"{name}: CHANNELS {count} where none are wanted")
            joints[stack[-1]].channels = [_channel(c, name) for c in take(count)]
        else:
            raise MotionFileError(f"{name}: unexpected {word[:40]!r} in the hierarchy")
    if stack or not joints:
        raise MotionFileError(
            f"{name}: {'a brace is not closed' if stack else 'no joints'}; the file is cut off"
        )
    return joints


def _channel(word: str, name: str) -> str:
    plain = word[0].upper() + word[1:].lower()
    if plain[1:] not in ("rotation", "position") or plain[0] not in _AXES:
        raise MotionFileError(f"{name}: unknown channel {word[:40]!r}, wanted Xrotation … Zposition")
    return plain


def _frames(text: str, width: int, name: str) -> tuple[float, Floats]:
    """Frame time · s and values (T, width); as many as there are, never as many as are claimed."""
    lines = text.strip().splitlines()
    said: dict[str, str] = {}
    while lines and ":" in lines[0]:
        key, _, value = lines.pop(0).partition(":")
        said[key.strip().lower()] = value.strip()
    try:
        claimed, interval = int(float(said["frames"])), float(said["frame time"])
    except (KeyError, ValueError, OverflowError):
        raise MotionFileError(f"{name}: MOTION lacks 'Frames:' or 'Frame Time:' with a number") from None
    try:
        flat = np.array(" ".join(lines).split(), dtype=np.float64)
    except ValueError as error:
        raise MotionFileError(f"{name}: a frame holds something else than numbers ({error})") from None
    held, rest = divmod(flat.size, max(width, 1))
    if claimed < 1 or flat.size == 0:
        raise MotionFileError(f"{name}: the motion is empty ({claimed} frames claimed, {held} there)")
    if held < claimed:
        raise MotionFileError(
            f"{name}: claims {claimed} frames of {width} channels, holds {held} and {rest} numbers more: the file is cut "
            "off, or a joint is missing from the hierarchy. To read what is there, correct the line 'Frames:'."
        )
    if rest or held > claimed:
        raise MotionFileError(
            f"{name}: {flat.size} numbers for {claimed} frames of {width} channels ({claimed * width}): a joint or a "
            "channel is missing from the hierarchy, or the line 'Frames:' is wrong."
        )
    values = flat.reshape(held, width)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise MotionFileError(f"{name}: {int(bad.sum())} frames hold values that are not finite")
    return interval, values


def _tree(joints: list[_Joint], values: Floats, name: str) -> tuple[Tree, dict[str, Any]]:
    """The skeleton with its rotations, a merged root, and end sites as joints."""
    count, frames = len(joints), len(values)
    quats = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (frames, count, 1))
    moved = np.tile(np.array([j.offset for j in joints]), (frames, 1, 1))
    at = 0
    for i, joint in enumerate(joints):
        for channel in joint.channels:
            axis = _AXES[channel[0]]
            if channel.endswith("position"):
                moved[:, i, axis] = values[:, at]
            else:
                turn = np.zeros((frames, 3))
                turn[:, axis] = np.radians(values[:, at])
                quats[:, i] = rotation.multiply(quats[:, i], rotation.from_rotvec(turn))
            at += 1
    parents = np.array([j.parent for j in joints], dtype=np.int64)
    names = [j.name for j in joints]
    ends = [j.end for j in joints]
    while _carrier_only(parents, moved):  # the root only carries the joint that moves
        moved[:, 1] = moved[:, 0] + rotation.rotate(quats[:, 0], moved[:, 1])
        quats[:, 1] = rotation.multiply(quats[:, 0], quats[:, 1])
        quats, moved = quats[:, 1:], moved[:, 1:]
        parents, names, ends = np.maximum(parents[1:] - 1, -1), names[1:], ends[1:]
    offsets = np.median(moved, axis=0)
    _said_stretch(moved, offsets, names, name)
    parents, names, offsets, quats = _with_ends(parents, names, offsets, quats, ends)
    if len(set(names)) != len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise MotionFileError(f"{name}: two joints are called {twice!r}")
    return Tree(tuple(names), parents, offsets, quats, moved[:, 0]), {"joints": len(joints)}


def _carrier_only(parents: NDArray[np.int64], moved: Floats) -> bool:
    """Whether the first joint has one child, which has a path of its own."""
    if (parents == 0).sum() != 1:
        return False
    size = float(np.abs(moved[:, 1:]).max()) if moved.shape[1] > 1 else 0.0
    own = np.ptp(moved[:, 1], axis=0).max()
    return bool(own > 0.02 * size and own > 5.0 * np.ptp(moved[:, 0], axis=0).max())


def _said_stretch(moved: Floats, offsets: Floats, names: list[str], name: str) -> None:
    size = np.linalg.norm(offsets, axis=1).max()
    off = np.linalg.norm(moved - offsets, axis=2).max(axis=0)
    off[0] = 0.0
    if len(names) > 1 and off.max() > _STRETCH * size:
        worst = int(np.argmax(off))
        warnings.warn(
            QualityWarning(
                f"{name}: {int((off > _STRETCH * size).sum())} bones change their length ({names[worst]} most); "
                "constant ones were put in"
            ),
            stacklevel=5,
        )


def _with_ends(
    parents: NDArray[np.int64],
    names: list[str],
    offsets: Floats,
    quats: Floats,
    ends: list[Floats | None],
) -> tuple[NDArray[np.int64], list[str], Floats, Floats]:
    """Add end sites that are away from their joint as joints that do not turn."""
    size = float(np.linalg.norm(offsets[1:], axis=1).max()) if len(names) > 1 else 1.0
    for j, end in enumerate(list(ends)):
        if end is None or not np.linalg.norm(end) > 0.02 * size:
            continue
        parents = np.append(parents, j)
        names = [*names, f"{names[j]}_end"]
        offsets = np.concatenate([offsets, end[None]])
        still = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (len(quats), 1, 1))
        quats = np.concatenate([quats, still], axis=1)
    return parents, names, offsets, quats
