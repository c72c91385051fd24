"""`mujo corpus …`: the commands, as tyro reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

_Names = Annotated[str, tyro.conf.arg(metavar="NAME,NAME,...")]


@dataclass(frozen=True)
class Build:
    """Build a corpus from videos (with the chapters that a downloader writes), a CSV, or FiMAD's lists.

    Interrupt it whenever you like: the same command goes on where it was. What could not be made is in
    quarantine.csv, with the reason.
    """

    source: Positional[Path]
    """A folder of videos, a CSV "clip,start_s,end_s,text", FiMAD's train_val_split.json or youtube_links.txt."""
    out: Path = Path("out/corpus")
    """Folder of the corpus."""
    videos: Path | None = None
    """Where the videos of a list are. Default: beside it."""
    workers: int = 1
    """Processes."""
    placements: _Names = ""
    """Where sensors sit (imusim placements). Default: 13 places of the public data sets."""
    rate_hz: float = 50.0
    """Rate of the simulated signals and poses."""
    pose_model: str = "full"
    """lite, full, heavy, or a .task bundle."""
    pose_fps: float = 30.0
    """Frames a second that the pose is estimated in, at most."""
    height_m: float | None = None
    """The people's height, if it is known."""
    text: str = "minilm"
    """Text features: minilm, none, or your own package.module:Name."""
    image: str = "efficientnet-lite0"
    """Picture features: efficientnet-lite0, none, or your own package.module:Name."""
    validation: float = 0.15
    """Share of the videos on the validation side, where the source does not say."""

    def run(self) -> None:
        """Run the command."""
        from mujo.corpus.building import QUARANTINE, Settings, build
        from mujo.corpus.embedded import PLACEMENTS

        settings = Settings(
            placements=_names(self.placements) or PLACEMENTS,
            rate_hz=self.rate_hz,
            pose_model=self.pose_model,
            pose_fps=self.pose_fps,
            height_m=self.height_m,
            text_features=self.text,
            image_features=self.image,
        )
        corpus = build(
            self.source,
            self.out,
            videos=self.videos,
            settings=settings,
            workers=self.workers,
            validation=self.validation,
        )
        print(corpus.describe())
        print(f"  refused {corpus.manifest['quarantined']} clips: {self.out / QUARANTINE}")


@dataclass(frozen=True)
class Embedded:
    """Play the embedded library of movements: a corpus without any video, in a minute."""

    out: Path = Path("out/embedded")
    """Folder of the corpus."""
    per_movement: int = 8
    """Clips of each movement."""
    seed: int = 0
    """The same seed gives the same corpus."""
    placements: _Names = ""
    """Where sensors sit. Default: 13 places of the public data sets."""
    rate_hz: float = 50.0
    """Rate of the simulated signals and poses."""
    exclude_labels: _Names = ""
    """Labels to leave out."""
    text: str = "minilm"
    """Text features: minilm, none, or your own package.module:Name."""

    def run(self) -> None:
        """Run the command."""
        from mujo.corpus import write
        from mujo.corpus.embedded import PLACEMENTS, clips
        from mujo.corpus.features import find_text
        from mujo.corpus.words import with_words

        made = clips(
            seed=self.seed,
            per_movement=self.per_movement,
            placements=_names(self.placements) or PLACEMENTS,
            rate_hz=self.rate_hz,
            exclude_labels=_names(self.exclude_labels),
        )
        print(
            write(with_words(made, find_text(self.text)), self.out, name=f"embedded-s{self.seed}").describe()
        )


@dataclass(frozen=True)
class Render:
    """Show the embedded movements, or motion files, to a camera: all four modalities offline. Rows say rendered."""

    out: Path = Path("out/rendered")
    """Folder of the corpus; one that holds embedded clips of another seed is added to."""
    motions: Path | None = None
    """A CSV "clip,start_s,end_s,text" whose motion files are shown instead of the embedded movements."""
    per_movement: int = 1
    """Clips of each movement."""
    seed: int = 1
    """The same seed gives the same corpus."""
    placements: _Names = ""
    """Where sensors sit. Default: 13 places of the public data sets."""
    exclude_labels: _Names = ""
    """Labels to leave out."""
    text: str = "minilm"
    """Text features: minilm, none, or your own package.module:Name."""
    image: str = "efficientnet-lite0"
    """Picture features: efficientnet-lite0, or your own package.module:Name."""

    def run(self) -> None:
        """Run the command."""
        from mujo.corpus import rendered_mocap, rendering, write
        from mujo.corpus.building import QUARANTINE, write_quarantine
        from mujo.corpus.embedded import PLACEMENTS
        from mujo.corpus.features import find_image, find_text
        from mujo.corpus.sources import safe
        from mujo.corpus.words import with_words
        from mujo.errors import ConfigError

        image = find_image(self.image)
        if image is None:
            raise ConfigError(
                "--image none: without picture features nothing would be rendered; use corpus embedded"
            )
        places, refused = _names(self.placements) or PLACEMENTS, []
        if self.motions is not None:
            made = rendered_mocap.clips(self.motions, image, refused, placements=places, seed=self.seed)
            name = f"rendered-{safe(self.motions.stem)}"
        else:
            made = rendering.clips(
                image,
                seed=self.seed,
                per_movement=self.per_movement,
                placements=places,
                exclude_labels=_names(self.exclude_labels),
            )
            name = f"rendered-s{self.seed}"
        print(write(with_words(made, find_text(self.text)), self.out, name=name).describe())
        if self.motions is not None:
            write_quarantine(self.out, refused)
            print(f"  refused {len(refused)} clips: {self.out / QUARANTINE}")


@dataclass(frozen=True)
class Info:
    """Say what a corpus holds, and check that every shard is whole."""

    folder: Positional[Path]
    """Folder of the corpus."""

    def run(self) -> None:
        """Run the command."""
        from tqdm import tqdm

        from mujo.corpus import open as open_corpus

        corpus = open_corpus(self.folder)
        for shard in tqdm(corpus.hashes, desc="check", unit="shard", disable=None):
            corpus.verify(shard)
        print(corpus.describe())
        print(f"  {len(corpus.hashes)} shards, all whole")


@dataclass(frozen=True)
class Corpus:
    """Clips with video features, words, poses and simulated IMU: build, look into."""

    command: tyro.conf.OmitArgPrefixes[
        tyro.conf.OmitSubcommandPrefixes[
            Annotated[Build, tyro.conf.subcommand("build")]
            | Annotated[Embedded, tyro.conf.subcommand("embedded")]
            | Annotated[Render, tyro.conf.subcommand("render")]
            | Annotated[Info, tyro.conf.subcommand("info")]
        ]
    ]

    def run(self) -> None:
        """Run the command."""
        self.command.run()


def _names(text: str) -> tuple[str, ...]:
    return tuple(n.strip() for n in text.split(",") if n.strip())
