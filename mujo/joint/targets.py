"""Data sets as targets of the corpus: which simulated sensors stand for theirs, and what their classes are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

import imusim as im
from mujo.corpus import Clip
from mujo.errors import ConfigError, unknown_name


@dataclass(frozen=True)
class Target:
    """How a data set's sensors are simulated.

    Parameters
    ----------
    worn : sensor of the data set → placements of the corpus that it may be (one side is drawn for all sensors at once)
    axes : "segment" or "device": which axes of the placements the corpus' signals are turned to
    active : the sensor is worn on the side that does the exercise: of two simulated sides the one that turns more counts
    around_deg : largest turn about the sensor's x axis that is drawn in training: what nobody knows of how it is worn
    """

    worn: Mapping[str, tuple[str, ...]]
    axes: str = "segment"
    active: bool = False
    around_deg: float = 30.0

    @property
    def placements(self) -> tuple[str, ...]:
        """All placements, each once."""
        return tuple(dict.fromkeys(p for places in self.worn.values() for p in places))


TARGETS = {
    "motionsense": Target({"pocket": ("left_pocket", "right_pocket")}, around_deg=60.0),
    "mhealth": Target({"chest": ("chest",), "right_arm": ("right_wrist",)}),
    "utd_mhad": Target({"right_wrist": ("right_wrist",)}),
    "spar": Target({"wrist": ("left_wrist", "right_wrist")}, axes="device", active=True),
}


def target(dataset: str) -> Target:
    """The target of that name.

    Raises
    ------
    UnknownNameError
    """
    if dataset not in TARGETS:
        raise unknown_name("target of the corpus", dataset, TARGETS)
    return TARGETS[dataset]


@cache
def class_texts(dataset: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Class → (sentences, movements of the corpus).

    Raises
    ------
    UnknownNameError
    """
    table = yaml.safe_load(resources.files("mujo.data").joinpath("class_texts.yaml").read_text())
    if dataset not in table:
        raise unknown_name("data set with class texts", dataset, table)
    return {name: (tuple(v["text"]), tuple(v["movements"])) for name, v in table[dataset].items()}


def class_of_movement(dataset: str, classes: Sequence[str]) -> dict[str, int]:
    """Movement of the corpus → index of the class that it shows."""
    texts = class_texts(dataset)
    return {m: classes.index(name) for name, (_, movements) in texts.items() for m in movements}


def as_worn(clips: Sequence[Clip], wanted: Target) -> list[Clip]:
    """The clips with the target's sensors in the target's axes, those of an idle side gone."""
    out = [turn_to_device(c) for c in clips] if wanted.axes == "device" else list(clips)
    return [_active_side(c, wanted.placements) for c in out] if wanted.active else out


def _active_side(clip: Clip, placements: Sequence[str]) -> Clip:
    """Of the placements only that whose gyroscope has the most power; both where they are within a factor of two."""
    power = np.nanmean(np.square(clip.imu[..., 3:]), axis=(0, 2))
    mine = np.array([p in placements for p in clip.placements])
    idle = mine & (power < 0.25 * power[mine].max(initial=0.0))
    keep = np.flatnonzero(~idle)
    return replace(clip, imu=clip.imu[:, keep], placements=tuple(clip.placements[i] for i in keep))


def turn_to_device(clip: Clip) -> Clip:
    """The clip with every sensor's signals in its placement's device axes instead of its segment axes."""
    places = im.placements()
    turns = []
    for name in clip.placements:
        place = places[name]
        device = np.array(place.device_xyz if place.device_xyz is not None else place.axes_xyz)
        turns.append(device @ np.array(place.axes_xyz).T)
    parts = clip.imu.reshape(len(clip.imu), len(clip.placements), 2, 3)
    return replace(
        clip,
        imu=np.einsum("sij,tskj->tski", np.array(turns), parts).reshape(clip.imu.shape).astype(np.float32),
    )


def simulated_windows(
    clips: Sequence[Clip],
    wanted: Target,
    channel_names: Sequence[str],
    *,
    each: int = 4,
    window_s: float = 2.0,
    seed: int = 0,
) -> tuple[NDArray[np.float32], list[str]]:
    """Windows of clips with the channels of a data set's windows.

    Parameters
    ----------
    clips : of the corpus, in the target's axes
    channel_names : of the data set's windows, such as "pocket.acc.x"
    each : windows a clip, at random times; of sensors with two sides one is drawn for each. A clip that is shorter
        than a window holds its last value, as short recordings do (`mujo.data`)

    Returns
    -------
    X : (M, C, T) · m/s², rad/s
    labels : M movements

    Raises
    ------
    ConfigError
        If no clip has all the placements.
    """
    rng = np.random.default_rng(seed)
    columns: list[tuple[str, slice]] = []
    for name in channel_names[::3]:
        sensor, kind, _ = name.rsplit(".", 2)
        columns.append((sensor, slice(0, 3) if kind == "acc" else slice(3, 6)))
    X, labels = [], []
    for clip in clips:
        length = round(window_s * clip.rate_hz)
        imu = np.pad(clip.imu, ((0, max(0, length - len(clip.imu))), (0, 0), (0, 0)), mode="edge")
        for _ in range(each):
            start = int(rng.integers(0, len(imu) - length + 1))
            side = int(rng.integers(0, 2))
            parts = []
            for sensor, kind in columns:
                places = [p for p in wanted.worn[sensor] if p in clip.placements]
                if not places:
                    break
                at = clip.placements.index(places[side % len(places)])
                parts.append(imu[start : start + length, at, kind].T)
            window = np.concatenate(parts) if len(parts) == len(columns) else np.full((1, 1), np.nan)
            if np.isfinite(window).all():
                X.append(window)
                labels.append(clip.label)
    if not X:
        raise ConfigError(f"no clip has signals at {sorted(wanted.placements)}")
    return np.array(X, dtype=np.float32), labels
