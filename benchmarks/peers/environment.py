"""Make the peers' environment (once) and run the worker in it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv" / "peers"
WANTED = ("opensim==4.6", "imusim==1.1.2", "imu-error-model==0.1.3", "numpy", "scipy", "matplotlib")


def python() -> Path:
    """The peers' interpreter."""
    at = HOME / "bin" / "python"
    stamp = HOME / ".done"
    if not stamp.exists() or stamp.read_text() != "\n".join(WANTED):
        print("installing the peers into .venv/peers (once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)
        subprocess.run(
            [str(at), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED], check=True
        )
        stamp.write_text("\n".join(WANTED))
    return at


def run(name: str, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    """Call `worker.<name>` in the peers' environment; arrays in, arrays out."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, **arrays)
        worker = Path(__file__).with_name("worker.py")
        done = subprocess.run(
            [str(python()), "-I", str(worker), name, str(given), str(found)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"peer {name} failed:\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
        with np.load(found) as kept:
            return {key: kept[key] for key in kept.files}


def versions() -> str:
    """Names and versions of the peers, in a line."""
    listed = subprocess.run(
        [str(python()), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    have = {p["name"].lower(): p["version"] for p in json.loads(listed.stdout)}
    return ", ".join(f"{n} {have.get(n, '?')}" for n in ("opensim", "imusim", "imu-error-model"))
