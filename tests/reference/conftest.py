"""A made-up body file with SMPL's keys: 600 vertices of the open body, with pose corrections."""

from importlib import resources

import numpy as np
import pytest


@pytest.fixture(scope="session")
def smpl_file(tmp_path_factory):
    """An npz with the keys, types and sizes of SMPL and random pose corrections, on 600 vertices."""
    rng = np.random.default_rng(5)
    with (
        resources.as_file(resources.files("imusim.body") / "data" / "open_body_24.npz") as path,
        np.load(path) as file,
    ):
        data = {k: file[k] for k in ("v_template", "shapedirs", "weights", "kintree_table")}
    keep = np.sort(rng.choice(len(data["v_template"]), 600, replace=False))
    for key in ("v_template", "shapedirs", "weights"):
        data[key] = data[key][keep].astype(np.float64)
    regressor = rng.random((24, 600)) ** 8
    data["J_regressor"] = regressor / regressor.sum(axis=1, keepdims=True)
    data["posedirs"] = 0.01 * rng.standard_normal((600, 3, 207))
    data["f"] = rng.integers(0, 600, (1000, 3)).astype(np.uint32)
    out = tmp_path_factory.mktemp("smpl") / "SMPL_MADE_UP.npz"
    # single precision, as SMPL's arrays may be: smplx rounds them to it
    np.savez(out, **{k: a.astype(np.float32) if a.dtype == np.float64 else a for k, a in data.items()})
    return out
