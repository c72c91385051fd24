"""The page of the sensors: docs/sensors.md and docs/allan.png.

python -m imusim.allan.sensors_page --out docs
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imusim.allan.fit import SensorFit, fit_sensor
from imusim.allan.static import StaticRecording
from imusim.conventions import STANDARD_GRAVITY
from imusim.sensor import (
    Bias,
    BiasInstability,
    Quantisation,
    RateRandomWalk,
    Sensor,
    Signals,
    WhiteNoise,
    presets,
)

DPS = np.pi / 180.0
EXAMPLE = Sensor(
    "example",
    (
        Bias(0.1, 0.01),
        BiasInstability(40e-6 * STANDARD_GRAVITY, 8.0 * DPS / 3600),
        RateRandomWalk(3e-6 * STANDARD_GRAVITY, 15.0 * DPS / 3600 / 60),
        WhiteNoise(160e-6 * STANDARD_GRAVITY, 0.007 * DPS),
        Quantisation(STANDARD_GRAVITY / 2048, DPS / 16.4),
    ),
)
"""A device whose truth is known: the picture's."""

_HEAD = """\
# Sensors

<!-- written by python -m imusim.allan.sensors_page; do not edit -->

A sensor is a tuple of error terms and a clock. `imusim sensors` prints every preset with its figures, their sources, and a †
where nobody looked it up there.

```python
import imusim as im
from imusim.sensor import Bandwidth, Packets, Sensor, StrapSlip, WhiteNoise

# a preset, its name, or a YAML file
rec = im.simulate(motion, ["left_wrist"], sensor="bmi270", rate_hz=100, seed=0)
# terms are put where they belong
worn = im.sensor.BMI270.replace(Bandwidth(40.0), StrapSlip(3.0), Packets(lost=0.01, burst=3.0))
mine = Sensor("mine", (WhiteNoise(angle_random_walk=1e-4),))  # or from nothing
rec = im.simulate(motion, ["left_wrist"], sensor=worn, rate_hz=100, seed=0)
```

The same seed gives the same bits. A sensor's numbers hang on the seed, the term and the sensor's own name only, not on which
other sensors or terms there are. A term of zero strength is the identity, to the bit.

## The chain, in its order

The clock decides when samples are really taken; then, from the body to the receiver:

| link | what it does | settings |
|---|---|---|
| `Clock` | when samples are really taken: `rec.true_time_s` | skew ppm, offset s, jitter s |
| `StrapSlip` | the mounting turns slowly (Ornstein–Uhlenbeck) | sd in degrees, correlation time |
| `SoftTissue` | rings like a mass on skin: gain 1 for slow motion, a peak at resonance | resonance Hz ± sd, peak gain ± sd |
| `RockingMount` | a mount's first mode: the sensor moves and rocks, as `im.identify` found it | Hz, damping, direction |
| `Vibration` | Gaussian, of a given spectral density | (Hz, density) pairs |
| `Bandwidth` | Butterworth of order 1, 2 or 4 with its group delay | −3 dB frequencies |
| `GSensitivity` | ω += G f | limit or matrix |
| `NonLinearity` | y = x + k₂x² + k₃x³ | k₂, k₃ |
| `HardSoftIron` | m = (I + A) b + h, magnetometer | limits or known |
| `ScaleCrossAxis` | y = (I + M) x | limits or matrix |
| `IdentifiedErrors` | scale, bias and noise that `im.identify` found of particular devices | by sensor name |
| `Bias` | turn-on offset, constant in a recording | limits or known |
| `Temperature` | offset and scale follow a temperature track | per kelvin |
| `BiasInstability` | flicker noise: Allan floor 0.664 B | B |
| `RateRandomWalk` | b += K √dt n: Allan K √(τ/3) | K |
| `WhiteNoise` | see below | density or random walk |
| `Saturation` | clips at the range | ranges |
| `Quantisation` | rounds to steps of a signed word | LSB, bits |
| `Packets` | lost in bursts (Gilbert), late; NaN or the last value | shares, mean burst |

**Limits are not sigmas.** Data sheets give limits; every simulated unit draws its own offset, scale and cross-axis within
them, uniformly (or normally, 3 σ at the limit).

A term of your own is any callable `(Signals, Context) -> Signals`; one that remembers derives from `Remembering`. Long
recordings go through in blocks (`im.stream`, `im.save_stream`), to the bit what they are in one go.

## Noise: two conventions, √2 apart

| argument | where it stands | sample sd at rate fs |
|---|---|---|
| `..._density_one_sided` n | data sheets, in µg/√Hz or dps/√Hz | n √(fs/2); band-limited: n √ENBW (`enbw_hz`) |
| `angle_random_walk`, `velocity_random_walk` N | IEEE Std 952, Allan deviation at 1 s; Kalibr's "noise density" | N √fs |

N = n/√2. A gyroscope of 0.007 dps/√Hz has an Allan deviation of 0.00495 dps at 1 s and a one-sided Welch density of
0.0070. Rounding adds LSB²/12 to the variance: 12 % to the noise of an MPU-6050 at 100 Hz and ±2000 dps.

## Presets

Noise is one-sided. † : from memory or at second hand, not looked up in the source that the sheet names.

"""

_TAIL = """\

Makers are mostly silent about drift (B, K), bandwidth and clocks: what a preset does not list is not simulated.
Presets marked *notional* are chosen by us, since nothing is published.

## Your own sensor

From a file, wherever a sensor is wanted (`sensor="mine.yaml"`, `--sensor mine.yaml`); an unknown key is an error:

```yaml
name: my watch
rates_hz: [25, 200]
acc: {range_g: 8, bits: 16, density_one_sided_ug_per_sqrt_hz: 150, offset_limit_mg: 20, bandwidth_hz: 40}
gyro:
  range_dps: 2000
  resolution_mdps: 61
  density_one_sided_dps_per_sqrt_hz: {value: 0.007, source: sheet, checked: true, note: at 25 °C}
  bias_instability_deg_per_h: [8, 8, 10]   # x, y, z
clock: {skew_limit_ppm: 50, jitter_us: 100}
sources: {sheet: where I read it}
```

Kalibr's `imu.yaml` and parameter files of MATLAB's `imuSensor` (`.json`) are read alike; their densities are taken for what
those tools mean by them (two-sided, unless MATLAB's `NoiseType` says single-sided).

## From a real sensor to a preset

    imusim sensors fit static.csv --name my_watch    # → my_watch.yaml, my_watch_allan.png

Lay the device on something that nobody touches, at an even temperature, and record for hours. The table may have any of the
usual column names; units come from the header or from gravity. N, B and K are the most likely ones given the spectrum,
each with a 95 % interval; what the recording is too short for is said, with the length that would do.

![Allan deviation of a device and of what its fitted preset simulates](allan.png)

Here the device was simulated too, so the truth is known: N 160 µg/√Hz and 7 mdps/√Hz, B 40 µg and 8 °/h, K 3 µg/√s and
15 °/h/√h, four hours at 50 Hz.

## Sampling, field, impacts

```python
body = im.BodyTrajectory(motion)  # fit once, simulate often
mean = im.simulate(body, ["left_wrist"], sampling="average")  # over each interval: an integrating front end
# Δv/Δt and Δθ/Δt with coning and sculling: a strapdown of them closes
steps = im.simulate(body, ["left_wrist"], sampling="increments")
# the Earth as a dipole; or from_wmm(north_ut, east_ut, down_ut); and local magnets
field = im.MagneticField.at_latitude(48.0)
rec = im.simulate(body, ["left_wrist"], magnetic=field)  # rec.mag, µT
at = im.simulate(body, ["left_wrist"], time_s=[0.11, 0.13, 0.2])  # any instants
```

A smooth spline rounds impacts off. If their instants are known, `im.Trajectory(..., smoothing="auto", impacts_s=t)` keeps
them: velocity jumps there by an amount that is estimated with the rest (`imusim.impacts`; `benchmarks/README.md`).

What every term promises is tested on a million samples (`tests/physics/test_sensor_*.py`), N, B and K on a hundred
recordings (`tests/physics/test_allan.py`).
"""


def sensors_page() -> str:
    """Return the text of docs/sensors.md."""
    rows = ["| `sensor=` | part | acc µg/√Hz | gyro dps/√Hz | ranges | offsets (limits) | unchecked |"]
    rows.append("|---|---|---|---|---|---|---|")
    for name, sensor in presets().items():
        if name == "ideal":
            continue
        cells = (
            _cell(sensor, "acc.density_one_sided_ug_per_sqrt_hz"),
            _cell(sensor, "gyro.density_one_sided_dps_per_sqrt_hz"),
            f"{_cell(sensor, 'acc.range_g')} g, {_cell(sensor, 'gyro.range_dps')} dps",
            f"{_cell(sensor, 'acc.offset_limit_mg')} mg, {_cell(sensor, 'gyro.offset_limit_dps')} dps",
            f"{sum(not n.checked for n in sensor.numbers)} of {len(sensor.numbers)}",
        )
        rows.append(f"| `{name}` | {sensor.name} | " + " | ".join(cells) + " |")
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def _cell(sensor: Sensor, key: str) -> str:
    for number in sensor.numbers:
        if number.key == key:
            values = number.value if isinstance(number.value, tuple) else (number.value,)
            return "/".join(f"{v:g}" for v in values) + ("" if number.checked else "†")
    return "–"


def example_fit(hours: float = 4.0, rate_hz: float = 50.0) -> SensorFit:
    """Return the fit of a recording of `EXAMPLE` at rest."""
    samples = round(hours * 3600 * rate_hz)
    acc = np.tile([0.0, 0.0, STANDARD_GRAVITY], (samples, 1, 1))
    truth = Signals(np.arange(samples) / rate_hz, acc, np.zeros_like(acc))
    out = EXAMPLE.apply(truth, rate_hz, 3)
    return fit_sensor(StaticRecording(out.acc[:, 0], out.gyro[:, 0], rate_hz, "simulated"), EXAMPLE.name)


def main() -> None:
    """Write page and picture into a folder."""
    import argparse

    from imusim.allan.picture import draw_allan

    parser = argparse.ArgumentParser(description="Write sensors.md and allan.png.")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    (out / "sensors.md").write_text(sensors_page(), encoding="utf-8")
    draw_allan(example_fit()).savefig(out / "allan.png")


if __name__ == "__main__":
    main()
