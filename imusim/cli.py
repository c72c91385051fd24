"""The `imusim` command."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from imusim.cli_compare import Identify, Map, Validate
from imusim.errors import ImusimError, QualityWarning


@dataclass(frozen=True)
class Simulate:
    """Turn a video or motion file into IMU recordings.

    With no option at all: the 16 FiMAD places, a Bosch BMI270 and an ideal sensor beside it, 100 Hz, written to
    <name>_imu/ next to the input: imu.parquet, ideal.parquet (+ .json: settings, units, frames), motion.npz,
    report.png, and pose.npz, which a second run reuses.
    """

    input: Positional[Path]
    """A video (.mp4, .mov ...) of a person, or a motion file."""
    out: Path | None = None
    """Folder for the outputs. Default: <name>_imu next to the input."""
    placements: str = "fimad"
    """Where the sensors sit: names separated by commas, a group (fimad, body17, all), or a YAML file.
    `imusim placements` lists them."""
    sensor: str = "bmi270"
    """Sensor model: a preset (`imusim sensors`), a preset file, or ideal."""
    rate_hz: float = 100.0
    """Output rate, Hz."""
    seed: int = 0
    """Seeds everything random. The same seed gives the same bits."""
    height_m: float | None = None
    """The person's height in metres. Give it if you know it: it sets the scale of every acceleration."""
    person: str = "largest"
    """Whom to follow when several people are seen: largest, centre, or a box x,y,w,h around the person in the first
    frame (pixels, or fractions of the picture)."""
    people: Literal["one", "all"] = "one"
    """all: a recording of everybody, each in a folder of their own (person_1, person_2 ...), on one clock."""
    camera_tilt_deg: float | None = None
    """How far the camera looks down (negative: up), degrees. Default: estimated from the clip."""
    focal_px: float | None = None
    """Focal length in pixels. Default: from the file, else assumed."""
    pose_model: str = "full"
    """Pose model: lite, full, heavy, or a path to a .task file."""
    pose_fps: float | None = None
    """Look at no more than this many frames a second. Default: every frame."""
    pose_passes: int | None = None
    """How often the network looks at each frame, 1 to 16: more are steadier and take longer. Default: 4 times, in
    videos of over 3,600 frames twice."""
    body: Path | None = None
    """Body model file (SMPL .npz or .pkl). Default: the open body that comes with imusim; a motion file's own skeleton."""
    motion_rate_hz: float | None = None
    """Frames a second of a motion file, in place of what it says, or where it says nothing."""
    axes: Literal["segment", "coremotion", "android"] = "segment"
    """Sensor axes: anatomical segment axes, or those of a phone or watch as usually worn."""
    like: Path | None = None
    """What `imusim identify` wrote: its placements (unless --placements is given) and its devices' scale, bias, noise and
    soft mounts, in place of those that --sensor would draw."""
    smoothing: Literal["auto", "none"] = "auto"
    """auto chooses the smoothing from the data; none interpolates (for clean motion files only)."""
    max_gap_s: float = 0.5
    """Longest time without the person that is bridged; longer gaps are marked, not invented."""
    format: str = "parquet"
    """File formats, separated by commas: parquet, csv, npz."""
    report: bool = True
    """Draw report.png."""

    def run(self) -> None:
        """Run the command."""
        from imusim.options import FitOptions, PoseOptions, SensorOptions
        from imusim.workflow import simulate_file

        placements, sensor = self.placements, self.sensor
        if self.like is not None:
            from imusim.identification.result import read_identified, with_errors
            from imusim.sensor import find

            worn, devices, mounts = read_identified(self.like)
            sensor = with_errors(find(self.sensor), devices, mounts)
            if self.placements == "fimad" and worn:
                placements = worn
        options: dict[str, Any] = {
            "pose": PoseOptions(self.pose_model, self.pose_fps, self.person, self.pose_passes),
            "fit": FitOptions(
                self.body,
                self.height_m,
                self.camera_tilt_deg,
                self.focal_px,
                self.max_gap_s,
                self.motion_rate_hz,
            ),
            "sensors": SensorOptions(placements, sensor, self.rate_hz, self.seed, self.axes, self.smoothing),
            "formats": [f.strip() for f in self.format.split(",") if f.strip()],
            "report": self.report,
        }
        if self.people == "all":
            from imusim.everyone import simulate_everyone

            results = list(simulate_everyone(self.input, self.out, **options).values())
        else:
            results = [simulate_file(self.input, self.out, **options)]
        for result in results:
            steps = ", ".join(f"{step} {s:.1f} s" for step, s in result.seconds.items())
            print(f"wrote {', '.join(f.name for f in result.files)} to {result.folder}  ({steps})")


@dataclass(frozen=True)
class Demo:
    """Fetch a short real clip (once) and turn it into an IMU recording with a picture to look at."""

    out: Path = Path("out")
    """Folder for the outputs."""

    def run(self) -> None:
        """Run the command."""
        from imusim.demo import run_demo

        run_demo(self.out)


@dataclass(frozen=True)
class Placements:
    """List the named places on the body, with their axes."""

    def run(self) -> None:
        """Run the command."""
        from imusim.placement import describe

        print(describe())


@dataclass(frozen=True)
class SensorsList:
    """List the sensor presets with their numbers and where those come from."""

    def run(self) -> None:
        """Run the command."""
        from imusim.sensor import describe

        print(describe())


@dataclass(frozen=True)
class SensorsFit:
    """Turn a recording of a real sensor at rest into a preset (Allan analysis).

    Lay the device on something that nobody touches, at an even temperature, and record for hours. Writes <name>.yaml
    (for --sensor) and <name>_allan.png, and prints N, B and K of every axis with 95 % intervals.
    """

    recording: Positional[Path]
    """CSV with a header (time, ax, ay, az, gx, gy, gz ...), or a .csv, .parquet or .npz recording of imusim."""
    rate: float | None = None
    """Sampling rate, Hz. Default: from the time column."""
    name: str | None = None
    """Name of the sensor and of the files. Default: the file's."""
    out: Path | None = None
    """Folder for the outputs. Default: next to the recording."""
    sensor: str | None = None
    """Which sensor, of a recording of several."""
    gyro_unit: Literal["auto", "rad/s", "deg/s"] = "auto"
    """Unit of the gyroscope in a plain table. auto: as its header says, else rad/s."""

    def run(self) -> None:
        """Run the command."""
        from imusim.allan import fit_file

        fit, files = fit_file(
            self.recording,
            self.out,
            name=self.name,
            rate_hz=self.rate,
            sensor=self.sensor,
            gyro_unit=self.gyro_unit,
        )
        for doubt in fit.doubts():
            warnings.warn(QualityWarning(doubt), stacklevel=1)
        print(fit.table())
        print(f"wrote {', '.join(f.name for f in files)} to {files[0].parent}")


@dataclass(frozen=True)
class Sweep:
    """Put a sensor on every point of the skin, and paint the body with how strongly each would move."""

    motion: Positional[Path]
    """A motion file, such as the motion.npz that `imusim simulate` writes."""
    out: Path = Path("painted.png")
    """The picture to write."""
    rate_hz: float = 50.0
    """How often a second the motion is looked at, Hz."""
    figure: Literal["rms", "peak"] = "rms"
    """Root mean square over the clip, or the largest value."""
    body: Path | None = None
    """Body model file, if the motion was not saved with the open body."""
    smoothing: Literal["auto", "none"] = "auto"
    """auto chooses the smoothing from the data; none interpolates (for clean motion files only)."""

    def run(self) -> None:
        """Run the command."""
        from imusim.body import load_body
        from imusim.motion_io import read_motion
        from imusim.sweeping import sweep_statistics
        from imusim.viz.painted_body import paint_statistics, save_picture

        body = None if self.body is None else load_body(self.body)
        motion = read_motion(self.motion, body=body)
        found = sweep_statistics(motion, self.rate_hz, smoothing=self.smoothing)
        save_picture(paint_statistics(found, motion.body, motion.shape, figure=self.figure), self.out)
        print(f"wrote {self.out}  ({found.vertices.size} points of the skin, {found.instants} instants)")


@dataclass(frozen=True)
class Render:
    """Make a video of the body with its sensors, beside the video it came from."""

    input: Positional[Path]
    """A folder that `imusim simulate` wrote, or a motion file."""
    out: Path | None = None
    """The video to write (.mp4). Default: body.mp4 in the folder, or <name>.mp4 beside the motion file."""
    video: Path | None = None
    """The video that the motion was made from. Default: looked for in the folder, beside it, and here."""
    placements: str | None = None
    """Sensors to show: names, a group or a YAML file. Default: those of the folder's recording, else fimad."""
    view: Literal["source", "front", "side", "back"] | None = None
    """source: as the video's camera saw it; the others: a camera that walks along. Default: source if there is one,
    else front."""
    fps: float | None = None
    """Frames a second. Default: the motion's own, 30 at most."""
    height_px: int = 480
    """Height of the picture, pixels."""
    body: Path | None = None
    """Body model file, if the motion was not saved with the open body."""

    def run(self) -> None:
        """Run the command."""
        from imusim.filming import film_file

        path, frames = film_file(
            self.input,
            self.out,
            placements=self.placements,
            video=self.video,
            body=self.body,
            view=self.view,
            fps=self.fps,
            height_px=self.height_px,
        )
        print(f"wrote {path}  ({frames} frames)")


@dataclass(frozen=True)
class Export:
    """Write a motion as an animated mesh: one .glb file, or a folder with one .obj a frame."""

    motion: Positional[Path]
    """A motion file, or a folder that `imusim simulate` wrote."""
    out: Path | None = None
    """File (.glb) or folder (obj). Default: <name>.glb or <name>_obj beside the motion."""
    format: Literal["glb", "obj"] = "glb"
    """glb: skinned and animated, glTF 2.0; obj: frames."""
    fps: float | None = None
    """obj: no more than this many frames a second. Default: every frame."""
    body: Path | None = None
    """Body model file, if the motion was not saved with the open body."""

    def run(self) -> None:
        """Run the command."""
        from imusim.filming import export_file

        path = export_file(self.motion, self.out, format=self.format, fps=self.fps, body=self.body)
        print(f"wrote {path}")


@dataclass(frozen=True)
class AssetsList:
    """List the files that are fetched on first use (pose models, sample clips), with licence and state."""

    def run(self) -> None:
        """Run the command."""
        from imusim.assets import describe

        print(describe())


@dataclass(frozen=True)
class AssetsFetch:
    """Fetch them now, for a machine that will have no network later."""

    names: Positional[tuple[str, ...]] = ()
    """Names from `imusim assets list`; none: all of them."""

    def run(self) -> None:
        """Run the command."""
        from imusim.assets import fetch

        for path in fetch(self.names):
            print(path)


@dataclass(frozen=True)
class Warmup:
    """Compile the kernels now (about a minute, once per installation), so that later runs start at once."""

    def run(self) -> None:
        """Run the command."""
        from imusim.warmup import warmup

        print(f"compiled and cached in {warmup():.1f} s")


Assets = (
    Annotated[AssetsList, tyro.conf.subcommand("list")]
    | Annotated[AssetsFetch, tyro.conf.subcommand("fetch")]
)
Sensors = (
    Annotated[SensorsList, tyro.conf.subcommand("list")] | Annotated[SensorsFit, tyro.conf.subcommand("fit")]
)
Command = (
    Annotated[Simulate, tyro.conf.subcommand("simulate")]
    | Annotated[Demo, tyro.conf.subcommand("demo")]
    | Annotated[Validate, tyro.conf.subcommand("validate")]
    | Annotated[Identify, tyro.conf.subcommand("identify")]
    | Annotated[Map, tyro.conf.subcommand("map")]
    | Annotated[Sweep, tyro.conf.subcommand("sweep")]
    | Annotated[Render, tyro.conf.subcommand("render")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Placements, tyro.conf.subcommand("placements")]
    | Annotated[
        Sensors,
        tyro.conf.subcommand(
            "sensors",
            default=SensorsList(),
            description="Sensor presets: list them (the default), or fit one to a recording of a real sensor.",
        ),
    ]
    | Annotated[
        Assets, tyro.conf.subcommand("assets", description="Files that are not ours: list or fetch them.")
    ]
    | Annotated[Warmup, tyro.conf.subcommand("warmup")]
)


def main(argv: list[str] | None = None) -> None:
    """Run the `imusim` command; exit code 0 on success, 2 on an error of the user's, 130 on Ctrl-C."""
    warnings.showwarning = _show_warning
    signal.signal(signal.SIGTERM, _stop)
    try:
        command = tyro.cli(
            Command,
            args=argv,
            prog="imusim",
            description="Video or motion capture of a person -> the signals a wearable IMU would have measured.",
        )
        command.run()
    except ImusimError as error:
        sys.stderr.write(f"imusim: error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("imusim: stopped; nothing half-written was left behind\n")
        # everything of ours has cleaned up on the way here; at a usual exit the estimator's native threads,
        # stopped at a bad moment, can be waited for without end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
    except BrokenPipeError:  # `imusim placements | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _stop(*_: object) -> None:
    """Let a terminated run clean up behind itself."""
    raise KeyboardInterrupt


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Show what users should know in one line; keep libraries' own warnings to debugging."""
    if issubclass(category, QualityWarning):
        sys.stderr.write(f"imusim: warning: {message}\n")


if __name__ == "__main__":
    main()
