"""`imusim validate` and `imusim identify`: what the simulator has to do with real recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Validate:
    """Compare a simulated recording with a real one: align, score, draw.

    Reads what imusim writes, and real sensors' files: CSV, text and parquet tables, NPZ, EuRoC, Xsens (.mvnx, DOT, MTw);
    how they were read is printed. Writes validation.json, validation.md and validation.png.
    """

    simulated: Positional[Path]
    """The simulated recording (imu.parquet, say)."""
    real: Positional[Path]
    """The real one."""
    align: str = "time,rotation,bias"
    """What may differ and is estimated per sensor: any of time, skew, rotation, leverarm, bias, scale; none for nothing."""
    holdout: float = 0.5
    """Share of the overlap, its last part, that is scored and not fitted; 0 fits and scores everything."""
    match: tuple[str, ...] = ()
    """Which sensors belong together where names differ: real=simulated."""
    max_offset_s: float | None = None
    """Largest time offset looked for, s."""
    lowpass_hz: float | None = None
    """Compare only what is below this frequency, Hz."""
    rate_hz: float | None = None
    """Sampling rate of the real file, Hz, if it has no time column."""
    acc_unit: Literal["auto", "m/s2", "g", "mg"] = "auto"
    """Unit of the real accelerometer. auto: as the header says, else by the size of gravity."""
    gyro_unit: Literal["auto", "rad/s", "deg/s"] = "auto"
    """Unit of the real gyroscope. auto: as the header says, else by its size."""
    out: Path = Path("validation")
    """Folder for the report."""

    def run(self) -> None:
        """Run the command."""
        from imusim.recording_io import read_recording
        from imusim.validation import validate

        simulated = read_recording(self.simulated)
        real = read_recording(
            self.real, rate_hz=self.rate_hz, acc_unit=self.acc_unit, gyro_unit=self.gyro_unit
        )
        for line in real.metadata.get("read", ()):
            print(f"{self.real.name}: {line}")
        report = validate(
            simulated,
            real,
            self.align,
            holdout=self.holdout,
            match=_pairs(self.match),
            max_offset_s=self.max_offset_s,
            lowpass_hz=self.lowpass_hz,
        )
        files = report.save(self.out)
        print(report.summary())
        print(f"wrote {', '.join(f.name for f in files)} to {self.out}")


@dataclass(frozen=True)
class Identify:
    """Find placements, sensor errors and clock of real sensors from a motion and the recording made of it.

    Writes a YAML file for `imusim simulate --like`.
    """

    motion: Positional[Path]
    """A motion file, such as the motion.npz that `imusim simulate` writes."""
    real: Positional[Path]
    """The real recording (as for `imusim validate`)."""
    estimate: str = "time,rotation,leverarm,bias"
    """Any of time, skew, rotation, leverarm, bias, scale, bodyscale, softtissue (the first mode of a soft mount)."""
    match: tuple[str, ...] = ()
    """Where the sensors sit, if their names are not places: real=place."""
    max_offset_s: float | None = None
    """Largest time offset looked for, s."""
    motion_rate_hz: float | None = None
    """Frames a second of the motion file, in place of what it says; for those that do not say."""
    rate_hz: float | None = None
    """Sampling rate of the real file, Hz, if it has no time column."""
    acc_unit: Literal["auto", "m/s2", "g", "mg"] = "auto"
    """Unit of the real accelerometer."""
    gyro_unit: Literal["auto", "rad/s", "deg/s"] = "auto"
    """Unit of the real gyroscope."""
    smoothing: Literal["auto", "none"] = "auto"
    """auto chooses the smoothing from the data; none interpolates (for clean motion files only)."""
    out: Path = Path("identified.yaml")
    """The file to write."""

    def run(self) -> None:
        """Run the command."""
        from imusim.identification import identify
        from imusim.motion_io import read_motion
        from imusim.recording_io import read_recording

        real = read_recording(
            self.real, rate_hz=self.rate_hz, acc_unit=self.acc_unit, gyro_unit=self.gyro_unit
        )
        for line in real.metadata.get("read", ()):
            print(f"{self.real.name}: {line}")
        found = identify(
            read_motion(self.motion, rate_hz=self.motion_rate_hz),
            real,
            self.estimate,
            placements=_pairs(self.match),
            max_offset_s=self.max_offset_s,
            smoothing=self.smoothing,
        )
        print(found.table())
        print(f"wrote {found.save(self.out)}")


@dataclass(frozen=True)
class Map:
    """Give a simulated recording the spectrum and the distribution of a real one, which needs no labels.

    This moves statistics, not truth; the metadata of what is written say so. Learn from a few minutes of movements
    like those that are mapped.
    """

    simulated: Positional[Path]
    """The simulated recording to map (imu.parquet, say)."""
    real: Positional[Path]
    """A real recording, as for `imusim validate`."""
    out: Positional[Path]
    """The file to write: .parquet, .csv or .npz."""
    kinds: str = "quantile,spectral"
    """What to map, in this order: quantile, spectral."""
    seed: int = 0
    """Of the noise that stands in for what the simulation cannot know (spectral)."""
    learn_from: Path | None = None
    """A simulated recording to learn from. Default: the one that is mapped."""
    match: tuple[str, ...] = ()
    """Which sensors belong together where names differ: real=simulated."""
    rate_hz: float | None = None
    """Sampling rate of the real file, Hz, if it has no time column."""
    acc_unit: Literal["auto", "m/s2", "g", "mg"] = "auto"
    """Unit of the real accelerometer."""
    gyro_unit: Literal["auto", "rad/s", "deg/s"] = "auto"
    """Unit of the real gyroscope."""

    def run(self) -> None:
        """Run the command."""
        from imusim.matching import fit_map
        from imusim.recording_io import read_recording

        simulated = read_recording(self.simulated)
        learned = simulated if self.learn_from is None else read_recording(self.learn_from)
        real = read_recording(
            self.real, rate_hz=self.rate_hz, acc_unit=self.acc_unit, gyro_unit=self.gyro_unit
        )
        for line in real.metadata.get("read", ()):
            print(f"{self.real.name}: {line}")
        found = fit_map(learned, real, self.kinds, match=_pairs(self.match))
        files = found.apply(simulated.select(list(found.steps)), seed=self.seed).save(self.out)
        print(
            f"mapped {', '.join(found.steps)} ({', '.join(found.kinds)}); wrote {', '.join(str(f) for f in files)}"
        )


def _pairs(words: tuple[str, ...]) -> dict[str, str] | None:
    """real=simulated words as a mapping; None if there is none."""
    from imusim.errors import ConfigError

    out = {}
    for word in words:
        real, sign, other = word.partition("=")
        if not (sign and real and other):
            raise ConfigError(f"--match {word!r}: wanted real=simulated")
        out[real] = other
    return out or None
