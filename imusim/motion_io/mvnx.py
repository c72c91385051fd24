"""MVNX: what Xsens MVN exports, segments with positions and orientations, z up, metres."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from imusim import rotation
from imusim.errors import MotionFileError
from imusim.motion_io.clock import check_rate
from imusim.motion_io.tree import Tree, as_motion
from imusim.types import Floats, Motion


def read_mvnx(
    path: Path, *, rate_hz: float | None = None, up: str | None = None, unit: str | None = None
) -> Motion:
    """Read an MVNX file (versions 3 and 4).

    The tree is that of the file's joints; bones are the joints' points in their segments. Only frames of type "normal"
    are motion; identity and T pose are calibration. Segments' own axes are x forward, y left, z up.

    Parameters
    ----------
    path : the file

    Other Parameters
    ----------------
    rate_hz : overrides the file's ``frameRate``
    up, unit : override z and metres

    Raises
    ------
    MotionFileError
        If it is damaged, lacks segments, joints, orientations or normal frames, or uses XML entities.
    """
    try:
        with path.open("rb") as file:
            if b"<!ENTITY" in file.read(65536):
                raise MotionFileError(
                    f"{path.name} defines XML entities, which motion has no use for: refused"
                )
        about, frames = _read(path)
    except ElementTree.ParseError as error:
        raise MotionFileError(f"{path.name} is damaged or cut off: {error}") from None
    segments, joints = about["segments"], about["joints"]
    if not segments or not joints or not frames:
        raise MotionFileError(
            f"{path.name}: {len(segments)} segments, {len(joints)} joints, {len(frames)} normal frames; wanted some of each"
        )
    names, parents, offsets, order = _tree(segments, joints, path.name)
    quats = _rows(frames, "orientation", 4 * len(segments), path.name).reshape(len(frames), -1, 4)[:, order]
    where = _rows(frames, "position", 3 * len(segments), path.name).reshape(len(frames), -1, 3)[:, order]
    off = np.abs(np.linalg.norm(quats, axis=2) - 1.0).max()
    if off > 0.05:
        raise MotionFileError(f"{path.name}: orientations are not unit quaternions (off by {off:.2g})")
    quats = rotation.normalise(quats)
    local = quats.copy()
    for j, k in enumerate(parents):
        if k >= 0:
            local[:, j] = rotation.multiply(rotation.conjugate(quats[:, k]), quats[:, j])
    rate = check_rate(about["rate"] if rate_hz is None else rate_hz, f"{path.name}: frameRate")
    index = np.array([f["index"] for f in frames], dtype=np.float64)
    if rate_hz is not None or not (np.diff(index) > 0).all():
        index = np.arange(len(frames), dtype=np.float64)
    tree = Tree(names, parents, offsets, local, where[:, 0])
    return as_motion(
        tree, (index - index[0]) / rate, up="z", unit="m", given_up=up, given_unit=unit, source=path.name,
        metadata={"source": path.name, "format": "MVNX", "rate_hz": rate},
    )  # fmt: skip


def _read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the head says, and the normal frames as text."""
    segments: list[tuple[str, dict[str, Floats]]] = []
    joints: list[tuple[str, str, str]] = []
    frames: list[dict[str, Any]] = []
    rate = 0.0
    for event, item in ElementTree.iterparse(path, events=("start", "end")):
        tag = item.tag.rpartition("}")[2]
        if event == "start":
            if tag == "subject":
                rate = _number(item.get("frameRate"))
            continue
        if tag == "segment":
            points = {
                p.get("label", ""): _numbers("".join(p.itertext()))
                for p in item.iter()
                if p.tag.rpartition("}")[2] == "point"
            }
            segments.append((item.get("label", ""), points))
        elif tag == "joint":
            ends = {e.tag.rpartition("}")[2]: (e.text or "").strip() for e in item}
            joints.append((item.get("label", ""), ends.get("connector1", ""), ends.get("connector2", "")))
        elif tag == "frame":
            if item.get("type", "normal") == "normal":
                texts = {e.tag.rpartition("}")[2]: e.text or "" for e in item}
                frames.append(
                    {
                        "index": _number(item.get("index"), float(len(frames))),
                        **{k: _numbers(texts[k]) for k in ("orientation", "position") if k in texts},
                    }
                )
            item.clear()
    return {"rate": rate, "segments": segments, "joints": joints}, frames


def _number(text: str | None, otherwise: float = 0.0) -> float:
    try:
        return float(text) if text is not None else otherwise
    except ValueError:
        return otherwise


def _numbers(text: str) -> Floats:
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError:
        return np.zeros(0)


def _rows(frames: list[dict[str, Any]], what: str, width: int, name: str) -> Floats:
    bad = [
        i
        for i, f in enumerate(frames)
        if f.get(what, np.zeros(0)).size != width or not np.isfinite(f[what]).all()
    ]
    if bad:
        raise MotionFileError(
            f"{name}: {len(bad)} of {len(frames)} frames have no {what} of {width} finite numbers (first: frame {bad[0]}). "
            "Export again with segment position and orientation."
        )
    return np.stack([f[what] for f in frames])


def _tree(
    segments: list[tuple[str, dict[str, Floats]]], joints: list[tuple[str, str, str]], name: str
) -> tuple[tuple[str, ...], np.ndarray, Floats, list[int]]:
    """Names and parents with parents first, offsets (J, 3) in the parent's axes, and the order in the file."""
    labels = [label for label, _ in segments]
    if len(set(labels)) != len(labels):
        raise MotionFileError(f"{name}: two segments have the same label")
    above: dict[str, tuple[str, Floats]] = {}
    for label, upper, lower in joints:
        parent, _, point = upper.partition("/")
        child = lower.partition("/")[0]
        if parent not in labels or child not in labels:
            raise MotionFileError(
                f"{name}: joint {label!r} connects {upper!r} and {lower!r}; no such segments"
            )
        offset = dict(segments[labels.index(parent)][1]).get(point, np.zeros(0))
        if offset.shape != (3,):
            raise MotionFileError(f"{name}: segment {parent!r} lacks the point {point!r} of joint {label!r}")
        above[child] = (parent, offset)
    roots = [label for label in labels if label not in above]
    if len(roots) != 1:
        raise MotionFileError(f"{name}: {len(roots)} segments without a joint above them, wanted one root")
    order = [labels.index(roots[0])]
    for i in order:  # grows while it is walked
        order += [
            k for k, label in enumerate(labels) if above.get(label, ("",))[0] == labels[i] and k not in order
        ]
    if len(order) != len(labels):
        raise MotionFileError(f"{name}: the joints do not make one tree")
    names = tuple(labels[i] for i in order)
    parents = np.array([-1] + [names.index(above[n][0]) for n in names[1:]], dtype=np.int64)
    offsets = np.stack([np.zeros(3), *(above[n][1] for n in names[1:])])
    return names, parents, offsets, order
