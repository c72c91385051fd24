"""What an identification found, as numbers, as a file, and as placements and a sensor to simulate with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from imusim._version import __version__
from imusim.atomic import written_together
from imusim.errors import ConfigError, unknown_name
from imusim.export import plain
from imusim.identification.solve import Fit
from imusim.identification.summary import summary
from imusim.placement.fitted import FittedPlacement
from imusim.rotation import multiply, rotate, rotate_inverse, to_rotvec
from imusim.sensor import Mount, RockingMount, Sensor, find
from imusim.sensor.identified import DeviceErrors, IdentifiedErrors
from imusim.trajectory import Trajectory
from imusim.types import Placement

FORMAT = "imusim-identified-1"
_SHOWN = (
    "time_offset_s", "clock_skew", "rotation_wxyz", "lever_arm_m", "acc_bias", "gyro_bias", "acc_scale", "gyro_scale",
    "body_scale",
)  # fmt: skip
_PLACE = tuple(f.name for f in fields(FittedPlacement))


@dataclass(frozen=True)
class Identification:
    """A wearer's placements and a device's errors.

    Parameters
    ----------
    fits : sensor → fit, with the full covariance
    places : sensor → the place it was thought to sit at, for a body; empty for a `Trajectory`
    settings : what was asked
    noise : sensor → white noise of acc and gyro, one-sided · m/s²/√Hz, rad/s/√Hz

    Notes
    -----
    `parameters[sensor]` has the keys of `imusim.validation.ValidationReport.alignment`; ``lever_arm_m`` and
    ``rotation_wxyz``
    are in the axes of the frame (of the place on the body), as `Trajectory.mounted` takes them. ``body_scale`` is
    the factor on
    the motion's acceleration, ``mount`` (if "softtissue" was asked for) the `imusim.sensor.Mount` in the frame's axes.
    """

    fits: Mapping[str, Fit]
    places: Mapping[str, Placement]
    settings: Mapping[str, Any]
    noise: Mapping[str, tuple[float, float]]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Sensor → numbers, their standard deviations (``_sd``) and half the width of their 95 % intervals (``_95``)."""
        return {name: summary(fit) for name, fit in self.fits.items()}

    def mounted(self, trajectory: Trajectory) -> Trajectory:
        """Return the trajectory seen from where the sensors were found to be."""
        p = [fit.parameters for fit in self.fits.values()]
        return trajectory.mounted(
            np.array([x.lever_arm_m for x in p]), np.array([x.rotation_wxyz for x in p])
        )

    def placements(self) -> list[FittedPlacement]:
        """Return the places on the body as they were found to be worn, for `imusim.simulate`.

        Raises
        ------
        ConfigError
            If it was a trajectory's frames that were identified.
        """
        if not self.places:
            raise ConfigError(
                "frames of a trajectory were identified, not places on a body: use .mounted(trajectory)"
            )
        return [_worn(self.places[n], n, fit) for n, fit in self.fits.items()]

    def sensor(self, base: str | Sensor | None = None) -> Sensor:
        """Return a sensor with the errors found; what was not identified (range, resolution …) is the base's."""
        mounts = [_mounted(name, summary(fit)) for name, fit in self.fits.items()]
        errors = [self._errors(name) for name in self.fits]
        return with_errors(find(base), errors, [m for m in mounts if m is not None])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        sensors = {}
        for name, fit in self.fits.items():
            acc, gyro = self.noise.get(name, (0.0, 0.0))
            sensors[name] = {
                "parameters": plain(summary(fit)),
                "noise": {"acc_density_one_sided": acc, "gyro_density_one_sided": gyro},
            }
            if name in self.places:
                worn = plain(_worn(self.places[name], name, fit))
                sensors[name]["placement"] = {k: v for k, v in worn.items() if v is not None}
        return {"format": FORMAT, "imusim": __version__, "settings": plain(self.settings), "sensors": sensors}

    def table(self) -> str:
        """Return what was found, for people; ± is half of the 95 % interval."""
        lines = []
        for name, p in self.parameters.items():
            lines.append(
                f"{name}: residual {p['residual_acc']:.3g} m/s², {p['residual_gyro']:.3g} rad/s; {p['samples']} samples"
            )
            for key in _SHOWN:
                half = np.atleast_1d(p[f"{key}_95"])
                if not (half > 0).any():
                    continue
                value = np.atleast_1d(p[key])
                if key == "rotation_wxyz":
                    value, key = to_rotvec(p[key]), "rotation vector, rad"
                pairs = ", ".join(f"{v:.5g} ± {d:.2g}" for v, d in zip(value, half, strict=True))
                lines.append(f"  {key:20s} {pairs}")
            if "mount" in p:
                lines.append(f"  {'soft mount':20s} {_shown(p['mount'])} (± one sd)")
            lines += [f"  not known from these data: {u}" for u in p["unidentified"]]
        return "\n".join([*lines, "± half of the 95 % interval"])

    def save(self, path: str | Path) -> Path:
        """Write a YAML file that `imusim simulate --like` and `read_identified` take.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        import yaml

        path = Path(path).expanduser()
        with written_together(path) as (temporary,):
            text = yaml.safe_dump(
                self.to_dict(), sort_keys=False, allow_unicode=True, default_flow_style=None
            )
            temporary.write_text(text, encoding="utf-8")
        return path

    def _errors(self, name: str) -> DeviceErrors:
        return _device(name, summary(self.fits[name]), *self.noise.get(name, (0.0, 0.0)))


def read_identified(path: str | Path) -> tuple[list[FittedPlacement], list[DeviceErrors], list[Mount]]:
    """Read placements (empty if it was a trajectory), devices' errors and soft mounts (if any) of an identified file.

    Raises
    ------
    ConfigError
        If there is no such file, or it is something else.
    """
    import yaml

    path = Path(path).expanduser()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if (
        not isinstance(content, dict)
        or content.get("format") != FORMAT
        or not isinstance(content.get("sensors"), dict)
    ):
        raise ConfigError(f"{path} is not what `imusim identify` writes (wanted format: {FORMAT})")
    places, devices, mounts = [], [], []
    for name, entry in content["sensors"].items():
        try:
            noise = entry.get("noise", {})
            devices.append(
                _device(
                    str(name),
                    entry["parameters"],
                    float(noise.get("acc_density_one_sided", 0.0)),
                    float(noise.get("gyro_density_one_sided", 0.0)),
                )
            )
            mount = _mounted(str(name), entry["parameters"])
            if mount is not None:
                mounts.append(mount)
            if "placement" in entry:
                places.append(_place(entry["placement"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{path}: sensor {name!r} is damaged: {error}") from None
    return places, devices, mounts


def with_errors(base: Sensor, devices: list[DeviceErrors], mounts: Sequence[Mount] = ()) -> Sensor:
    """Return a sensor with these devices' own errors and soft mounts in place of drawn ones of the same kind."""
    from dataclasses import replace

    drawn = ("ScaleCrossAxis", "Bias", "WhiteNoise", *(("SoftTissue",) if mounts else ()))
    kept = tuple(term for term in base.terms if type(term).__name__ not in drawn)
    name = base.name if base.terms else "identified"
    out = replace(base, name=name, terms=kept).replace(IdentifiedErrors(tuple(devices)))
    return out.replace(RockingMount(tuple(mounts))) if mounts else out


def _device(name: str, p: Mapping[str, Any], acc_density: float, gyro_density: float) -> DeviceErrors:
    def three(key: str) -> tuple[float, float, float]:
        x, y, z = (float(v) for v in p[key])
        return x, y, z

    return DeviceErrors(
        name,
        three("acc_scale"),
        three("gyro_scale"),
        three("acc_bias"),
        three("gyro_bias"),
        acc_density,
        gyro_density,
    )


def _mounted(name: str, p: Mapping[str, Any]) -> Mount | None:
    """The soft mount in the real sensor's own axes, None if it is rigid."""
    if "mount" not in p:
        return None
    m = p["mount"]
    turn = np.asarray(p["rotation_wxyz"], dtype=np.float64)
    shift, rock = (
        rotate_inverse(turn, np.asarray(m[key], dtype=np.float64)).tolist() for key in ("shift", "turn_per_m")
    )
    return Mount(name, float(m["frequency_hz"]), float(m["damping"]), tuple(shift), tuple(rock))


def _shown(m: Mapping[str, Any]) -> str:
    rock = float(np.linalg.norm(m["turn_per_m"]))
    along = np.linalg.norm(m["shift"]) / rock if rock > 1e-6 else np.inf
    return (
        f"{m['frequency_hz']:.4g} ± {m['frequency_hz_sd']:.2g} Hz, "
        f"damping {m['damping']:.2g} ± {m['damping_sd']:.2g}, "
        f"moves along {np.round(m['shift'], 2).tolist()}, rocks {np.round(m['turn_per_m'], 1).tolist()} rad/m "
        f"({1000 * along:.0f} mm from its axis), participation {m['participation']:.2g}"
    )


def _worn(place: Placement, name: str, fit: Fit) -> FittedPlacement:
    if not isinstance(place, FittedPlacement) and type(place) is not Placement:
        raise ConfigError(
            f"placement {name!r} is a point of the skin; identify at a named place, or at a joint"
        )
    given: dict[str, Any] = {f.name: getattr(place, f.name) for f in fields(Placement)}
    given["name"] = name
    shift, turn = fit.parameters.lever_arm_m, fit.parameters.rotation_wxyz
    if isinstance(place, FittedPlacement):  # found on top of an earlier finding
        before = np.asarray(place.turn_wxyz)
        shift, turn = np.asarray(place.shift_m) + rotate(before, shift), multiply(before, turn)
    return FittedPlacement(**given, shift_m=tuple(shift.tolist()), turn_wxyz=tuple(turn.tolist()))


def _place(entry: dict[str, Any]) -> FittedPlacement:
    for key in entry:
        if key not in _PLACE:
            raise unknown_name("key of a placement", str(key), _PLACE)

    def tuples(value: Any) -> Any:
        return tuple(tuples(v) for v in value) if isinstance(value, list) else value

    given: dict[str, Any] = {key: tuples(value) for key, value in entry.items()}
    return FittedPlacement(**given)
