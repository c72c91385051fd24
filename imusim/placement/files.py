"""Placements from what users write: names, groups, YAML files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from imusim.body import open_body
from imusim.errors import ConfigError, ImusimError, unknown_name
from imusim.placement.attach import SkinPoint
from imusim.placement.named import groups, placement, placements
from imusim.types import Placement

_KEYS = {f.name for f in fields(SkinPoint)} - {"axes_given"} | {"base", "rotation_deg"}
_VECTORS = ("toward", "offset_m", "position_m", "rotation_deg")
_NUMBERS = ("along", "lift_m", "slide_m", "around_deg")


def resolve(spec: Any) -> list[Placement]:
    """Turn what a user gave into placements.

    Parameters
    ----------
    spec : a name ("left_wrist"), a group ("fimad", "body17", "all"), several separated by commas, a path of a
        YAML file (`read_placements`), a `Placement`, or a sequence of those

    Returns
    -------
    list of Placement
        In the order given; a place named twice counts once.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    ConfigError
        If nothing is left, or two different placements share a name.
    """
    out: dict[str, Placement] = {}
    for p in _expand(spec):
        if out.setdefault(p.name, p) != p:
            raise ConfigError(f"two different placements are called {p.name!r}. Give each its own name.")
    if not out:
        raise ConfigError("no placements. Name at least one, such as left_wrist, or a group such as body17.")
    return list(out.values())


def _expand(spec: Any) -> list[Placement]:
    if isinstance(spec, Placement):
        return [spec]
    if isinstance(spec, os.PathLike) or (isinstance(spec, str) and spec.lower().endswith((".yaml", ".yml"))):
        return read_placements(spec)
    if isinstance(spec, str):
        words = [w.strip() for w in spec.split(",") if w.strip()]
        if len(words) > 1 or (words and words[0] != spec):
            return [p for w in words for p in _expand(w)]
        if not words:
            return []
        key = spec.lower().replace("-", "_").replace(" ", "_")
        members = groups().get(key)
        return [placement(n) for n in members] if members else [placement(key)]
    if isinstance(spec, Sequence):
        return [p for part in spec for p in _expand(part)]
    raise ConfigError(
        f"placements are a {type(spec).__name__}, wanted names, Placement objects or a YAML path"
    )


def read_placements(path: str | os.PathLike[str]) -> list[Placement]:
    """Read placements from a YAML file: a list, or a mapping with the list under `placements`.

    An entry is a name or a group; or a mapping: ``base`` (a named place) with the fields of `Placement`
    that differ; or ``joint`` with fields of its own; or a point of the skin, ``vertex`` (index) or
    ``position_m`` (rest-pose axes). Every mapping but one with a base needs a ``name``. ``rotation_deg: [x, y, z]``
    turns the sensor about its own axes, in that order::

        - left_wrist
        - {name: watch_flipped, base: left_wrist, rotation_deg: [0, 0, 180]}
        - {name: knee_brace, joint: left_knee, along: 0.1, toward: [0, 0, 1]}
        - {name: patch, vertex: 1234}

    Raises
    ------
    ConfigError
        If the file cannot be read, is not such a list, or an entry has an unknown key or a bad value.
    UnknownNameError
        On an unknown name, with the nearest.
    """
    import yaml

    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no such placement file: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    if isinstance(content, dict):
        extra = [k for k in content if k != "placements"]
        if extra or "placements" not in content:
            raise ConfigError(
                f"{path.name}: wanted a list, or a mapping with the one key placements, got {sorted(map(str, content))}"
            )
        content = content["placements"]
    if not isinstance(content, list) or not content:
        raise ConfigError(f"{path.name}: wanted a list of placements, got {type(content).__name__}")
    out: list[Placement] = []
    for i, entry in enumerate(content):
        try:
            out += _expand(entry) if isinstance(entry, str) else [_entry(entry)]
        except ImusimError as error:
            raise type(error)(f"{path.name}, entry {i + 1}: {error}") from None
    return out


def _entry(entry: Any) -> Placement:
    if not isinstance(entry, dict):
        raise ConfigError(f"wanted a name or a mapping, got {entry!r}")
    entry = {
        "on" if key is True else key: value for key, value in entry.items()
    }  # YAML 1.1 takes on for true
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(str(unknown_name("key", str(key), _KEYS)))
    given = {k: _value(k, v) for k, v in entry.items()}
    rotation = given.pop("rotation_deg", None)
    base = given.pop("base", None)
    if base is not None:
        clash = [k for k in ("vertex", "position_m") if k in given]
        if clash:
            raise ConfigError(f"base and {clash[0]} exclude each other")
        made = replace(placement(base), **given)
    else:
        if "name" not in given:
            raise ConfigError("an entry without base needs a name")
        points = [k for k in ("vertex", "position_m") if k in given]
        if len(points) + ("joint" in given) != 1:
            raise ConfigError(f"{given['name']!r} needs one of base, joint, vertex, position_m")
        if points:
            given.setdefault("joint", "")
            made = SkinPoint(**given, axes_given="axes_xyz" in given)
        else:
            made = Placement(**given)
    if made.joint and made.joint not in open_body().joint_names:
        raise unknown_name("joint", made.joint, open_body().joint_names)
    return made if rotation is None else _turned(made, rotation)


def _value(key: str, value: Any) -> Any:
    """Check one value of a YAML mapping, and make it the type that the field has."""
    if key in _VECTORS or key in ("axes_xyz", "device_xyz"):
        shape = (3,) if key in _VECTORS else (3, 3)
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.shape != shape or not np.isfinite(array).all():
            raise ConfigError(f"{key}: {value!r}, wanted {' × '.join(map(str, shape))} numbers")
        rows: Any = array.tolist()
        return tuple(rows) if array.ndim == 1 else tuple(tuple(row) for row in rows)
    if key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
            raise ConfigError(f"{key}: {value!r}, wanted a number")
        return float(value)
    if key == "vertex":
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"vertex: {value!r}, wanted a whole number")
        return value
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: {value!r}, wanted text")
    return value


def _turned(p: Placement, rotation_deg: tuple[float, float, float]) -> Placement:
    """The placement with its sensor turned about its own x, then y, then z axis."""
    from imusim.rotation import from_rotvec, to_matrix

    turn = np.eye(3)
    for axis, angle in zip(np.eye(3), np.radians(rotation_deg), strict=True):
        turn = turn @ to_matrix(from_rotvec(axis * angle))

    def rows(axes: Any) -> Any:
        # columns of axesᵀ are the sensor's axes; turning in sensor axes multiplies from the right
        return None if axes is None else tuple(tuple(r) for r in (np.asarray(axes).T @ turn).T.tolist())

    if isinstance(p, SkinPoint) and not p.axes_given:
        raise ConfigError(f"{p.name!r}: rotation_deg on a skin point needs axes_xyz too")
    return replace(p, axes_xyz=rows(p.axes_xyz), device_xyz=rows(p.device_xyz))


def describe() -> str:
    """Return the named places and groups as a table for people."""
    lines = [f"{'name':20s} {'joint':15s} x, z in the T pose    place"]
    for name, p in placements().items():
        x, z = _direction(p.axes_xyz[0]), _direction(p.axes_xyz[2])
        lines.append(f"{name:20s} {p.joint:15s} {x:8s} {z:10s}  {p.description}")
    lines.append("")
    lines += [f"group {name}: {', '.join(members)}" for name, members in groups().items() if name != "all"]
    lines.append("group all: every place on the skin")
    return "\n".join(lines)


def _direction(v: Any) -> str:
    words = [("right", "left"), ("down", "up"), ("back", "front")]
    order = sorted(range(3), key=lambda i: -abs(v[i]))
    return "-".join(words[i][v[i] > 0] for i in order if abs(v[i]) > 0.3)
