"""Kill a corpus build (kill -9) at random moments, go on, and compare with a build that nobody disturbed.

    python -m benchmarks.corpus_kills --kills 10

The corpus: twelve made motion files and, where the assets are, a real walking video with chapters and a broken one.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import imusim as im
from mujo.corpus.movement import library
from mujo.corpus.player import play


def make(folder: Path) -> Path:
    rows = ["clip,start_s,end_s,text"]
    for k, name in enumerate(list(library())[::8]):
        im.save_motion(folder / f"{name}.npz", play(library()[name], 20.0, seed=k).motion)
        rows.append(f"{name}.npz,0,,{name}")
    (folder / "walk.mp4").write_bytes(im.asset("clip_walking").read_bytes())
    (folder / "broken.mp4").write_bytes(im.asset("clip_walking").read_bytes()[:40000])
    rows += ["walk.mp4,1,3,walking", "walk.mp4,4,6,walking on", "broken.mp4,0,3,nothing"]
    (folder / "list.csv").write_text("\n".join(rows) + "\n")
    return folder / "list.csv"


def command(source: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "mujo.cli", "corpus", "build", str(source), "--out", str(out), "--workers", "2",
            "--placements", "left_wrist,waist", "--pose-model", "lite", "--pose-fps", "15", "--text", "none"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = make(folder)
        began = time.time()
        subprocess.run(command(source, folder / "whole"), check=True, capture_output=True)
        whole_s = time.time() - began
        moments = []
        while len(moments) < given.kills:
            process = subprocess.Popen(
                command(source, folder / "cut"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            began, wait = time.time(), float(rng.uniform(0.02, 0.45)) * whole_s
            while process.poll() is None and time.time() - began < wait:
                time.sleep(0.005)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            done = len(list((folder / "cut").glob("*-*.json"))) + len(
                list((folder / "cut/nothing").glob("*.json"))
            )
            moments.append(f"{wait:.1f} s: {done} files done")
            if (
                folder / "cut/manifest.json"
            ).is_file():  # it was through: begin anew for the kills that are left
                same(folder)
                subprocess.run(["rm", "-rf", str(folder / "cut")], check=True)
        subprocess.run(command(source, folder / "cut"), check=True, capture_output=True)
        same(folder)
        manifest = json.loads((folder / "cut/manifest.json").read_text())
        count = sum(len(s["clips"]) for s in manifest["shards"])
        print(f"undisturbed build: {whole_s:.1f} s, {count} clips, {manifest['quarantined']} refused")
        print(f"{len(moments)} kills -9:", "; ".join(moments))
        print("manifest.json and quarantine.csv: byte for byte those of the undisturbed build")


def same(folder: Path) -> None:
    for file in ("manifest.json", "quarantine.csv"):
        if (folder / "whole" / file).read_bytes() != (folder / "cut" / file).read_bytes():
            raise SystemExit(f"{file} differs")
    for shard in (folder / "whole").glob("*.tar"):
        if shard.read_bytes() != (folder / "cut" / shard.name).read_bytes():
            raise SystemExit(f"{shard.name} differs")


if __name__ == "__main__":
    main()
