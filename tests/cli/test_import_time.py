"""Importing the package must stay cheap: nothing heavy is loaded until it is used."""

import subprocess
import sys


def test_import_loads_nothing_heavy():
    code = "import imusim, sys; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "imusim" in loaded
    assert not loaded & {
        "numpy",
        "numba",
        "scipy",
        "pandas",
        "matplotlib",
        "torch",
        "mediapipe",
        "av",
        "trimesh",
    }


def test_every_public_name_exists():
    import imusim

    for name in imusim.__all__:
        assert getattr(imusim, name) is not None
    assert set(imusim.__all__) <= set(dir(imusim))
