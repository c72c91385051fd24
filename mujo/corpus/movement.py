"""Movements as text files: key poses in anatomical angles, their timing, contacts and the words for them.

A file says what a coach would: the posture to start from, which angles change and when, what stays on the floor. The
README of the format is `docs/corpus.md`. Everything is checked on reading; an unknown word is an error with a suggestion.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from mujo.corpus.angles import LIMITS, names_of
from mujo.errors import MovementError, unknown_name

Range = tuple[float, float]
PARTS = ("left_foot", "right_foot", "left_hand", "right_hand")
KINDS = ("keys", "still", "gait", "cycling")
LATERALITY = ("both", "left", "right", "either", "alternating")
ANCHORS = ("feet", "seat", "back", "front", "hands")
_KEY_WORDS = ("at", "hold_s", "free", "toes", "takeoff_m", "travel_m", "landing")


@dataclass(frozen=True)
class Key:
    """One key pose: when in the repetition (0 … 1), what is off the floor, and the angles that differ from the start."""

    at: float
    angles: Mapping[str, Range]
    hold_s: Range = (0.0, 0.0)
    free: frozenset[str] = frozenset()
    toes: frozenset[str] = frozenset()
    takeoff_m: Range | None = None
    landing: bool = False
    travel_m: Range = (0.0, 0.0)


@dataclass(frozen=True)
class Movement:
    """One movement, as its file says.

    Parameters
    ----------
    name : file name without suffix; `label` is what people (and corpora) call it, `text` three or more phrasings
    kind : "keys" (repetitions through key poses), "still", "gait" or "cycling"
    posture : angle → (lowest, highest) · degrees, drawn once a clip: how the body is before it moves
    anchor : what the root's path follows from: planted feet, or the pelvis on a seat, back or front at `height_m`
    planted : parts that stay where they are unless a key frees them
    keys : the first is the start of a repetition, which ends where it began
    repetition_s, pause_s : ranges · s
    laterality : files are written for the left side or for both; "right" mirrors, "either" draws, "alternating" takes turns
    contact : what touches something, for people
    gait : parameters of a gait or of pedalling
    """

    name: str
    label: str
    text: tuple[str, ...]
    kind: str
    posture: Mapping[str, Range]
    anchor: str
    height_m: Range
    planted: frozenset[str]
    foot_on_toes: bool
    hands_on_floor: bool
    keys: tuple[Key, ...]
    repetition_s: Range
    pause_s: Range
    laterality: str
    equipment: str = ""
    contact: tuple[str, ...] = ()
    gait: Mapping[str, Range] = field(default_factory=dict)


@cache
def library() -> dict[str, Movement]:
    """Every movement that ships with the package, name → `Movement`, in alphabetical order."""
    folder = resources.files("mujo.corpus") / "movements"
    files = sorted(
        p.name for p in folder.iterdir() if p.name.endswith(".yaml") and not p.name.startswith("_")
    )
    postures = yaml.safe_load((folder / "_postures.yaml").read_text("utf-8"))
    return {
        n.removesuffix(".yaml"): parse(
            n.removesuffix(".yaml"), yaml.safe_load((folder / n).read_text("utf-8")), postures
        )
        for n in files
    }


def read_movement(path: Path | str) -> Movement:
    """Read a movement of one's own.

    Raises
    ------
    MovementError, UnknownNameError
        If the file is not YAML or says something impossible; the sentence names the file and the key.
    """
    path = Path(path)
    folder = resources.files("mujo.corpus") / "movements"
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MovementError(
            f"{path}: cannot be read as a movement ({' '.join(str(error).split())})"
        ) from None
    return parse(path.stem, content, yaml.safe_load((folder / "_postures.yaml").read_text("utf-8")))


_FIELDS = ("label", "text", "kind", "posture", "base", "keys", "repetition_s", "pause_s", "laterality", "equipment",
           "gait", "anchor", "height_m", "planted", "contact")  # fmt: skip


def parse(name: str, content: Any, postures: Mapping[str, Any]) -> Movement:
    """Make a checked `Movement` of what a file holds.

    Raises
    ------
    MovementError, UnknownNameError
    """
    where = f"movement {name}: "
    if not isinstance(content, dict):
        raise MovementError(f"{where}wanted a mapping of keys to values, got {type(content).__name__}")
    for word in content:
        if word not in _FIELDS:
            raise unknown_name(f"{where}key", str(word), _FIELDS)
    text = tuple(str(t) for t in content.get("text", ()))
    if len(text) < 3:
        raise MovementError(f"{where}text has {len(text)} phrasings, wanted 3 or more")
    kind = _one_of(content.get("kind", "keys"), KINDS, f"{where}kind")
    posture_name = content.get("posture", "standing")
    if posture_name not in postures:
        raise unknown_name(f"{where}posture", str(posture_name), postures)
    posture = postures[posture_name]
    angles = {**_angles(posture["angles"], where), **_angles(content.get("base", {}), where)}
    keys = tuple(_key(k, where) for k in content.get("keys", [{"at": 0.0}]))
    _check_keys(keys, kind, where)
    planted = frozenset(content.get("planted", posture.get("planted", ())))
    for part in planted:
        _one_of(part, PARTS, f"{where}planted")
    return Movement(
        name=name,
        label=str(content.get("label", name.replace("_", " "))),
        text=text,
        kind=kind,
        posture=angles,
        anchor=_one_of(content.get("anchor", posture.get("anchor", "feet")), ANCHORS, f"{where}anchor"),
        height_m=_range(content.get("height_m", posture.get("height_m", 0.0)), f"{where}height_m"),
        planted=planted,
        foot_on_toes=bool(posture.get("foot_on_toes", False)),
        hands_on_floor=bool(posture.get("hands_on_floor", False)),
        keys=keys,
        repetition_s=_range(content.get("repetition_s", [4.0, 8.0]), f"{where}repetition_s"),
        pause_s=_range(content.get("pause_s", [0.0, 0.4]), f"{where}pause_s"),
        laterality=_one_of(content.get("laterality", "both"), LATERALITY, f"{where}laterality"),
        equipment=str(content.get("equipment", "")),
        contact=tuple(content.get("contact", posture.get("contact", ()))),
        gait={k: _range(v, f"{where}gait {k}") for k, v in content.get("gait", {}).items()},
    )


def _one_of(value: Any, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise unknown_name(what, str(value), known)
    return str(value)


def _range(value: Any, what: str) -> Range:
    try:
        low, high = (value, value) if isinstance(value, int | float) else value
        low, high = float(low), float(high)
    except (TypeError, ValueError):
        raise MovementError(f"{what}: {value!r}, wanted a number or [lowest, highest]") from None
    if not low <= high:
        raise MovementError(f"{what}: {value!r}, wanted the lower number first")
    return low, high


def _angles(table: Any, where: str) -> dict[str, Range]:
    out: dict[str, Range] = {}
    if not isinstance(table, dict):
        raise MovementError(f"{where}{table!r}, wanted joints with their angles")
    for joint, angles in table.items():
        if not isinstance(angles, dict):
            raise MovementError(f"{where}{joint}: {angles!r}, wanted angles such as {{flexion: 90}}")
        for angle, value in angles.items():
            for full in names_of(str(joint), str(angle), where):
                low, high = _range(value, f"{where}{full}")
                if low < LIMITS[full][0] or high > LIMITS[full][1]:
                    raise MovementError(
                        f"{where}{full} is {value}, a person's range is {LIMITS[full][0]} to {LIMITS[full][1]} degrees"
                    )
                out[full] = (low, high)
    return out


def _key(table: Any, where: str) -> Key:
    if not isinstance(table, dict) or "at" not in table:
        raise MovementError(f"{where}key {table!r}: wanted a mapping with `at`, 0 to 1")
    words = {k: v for k, v in table.items() if k in _KEY_WORDS}
    for part in (*words.get("free", ()), *words.get("toes", ())):
        _one_of(part, PARTS, f"{where}part")
    return Key(
        at=float(words["at"]),
        angles=_angles({k: v for k, v in table.items() if k not in _KEY_WORDS}, where),
        hold_s=_range(words.get("hold_s", 0.0), f"{where}hold_s"),
        free=frozenset(words.get("free", ())),
        toes=frozenset(words.get("toes", ())),
        takeoff_m=_range(words["takeoff_m"], f"{where}takeoff_m") if "takeoff_m" in words else None,
        landing=bool(words.get("landing", False)),
        travel_m=_range(words.get("travel_m", 0.0), f"{where}travel_m"),
    )


def _check_keys(keys: tuple[Key, ...], kind: str, where: str) -> None:
    at = [k.at for k in keys]
    if at[0] != 0.0 or any(not a < b for a, b in itertools.pairwise(at)) or at[-1] >= 1.0:
        raise MovementError(f"{where}keys are at {at}, wanted 0 first, then increasing and below 1")
    if kind == "keys" and len(keys) < 2:
        raise MovementError(f"{where}one key only; wanted two or more, or kind: still")
    for key, after in zip(keys, (*keys[1:], None), strict=True):
        if key.takeoff_m is not None and (after is None or not after.landing):
            raise MovementError(f"{where}the key after a takeoff must have landing: true")
