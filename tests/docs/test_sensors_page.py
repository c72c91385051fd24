"""The page of the sensors is what its module writes, its code runs, its YAML is read, and its table has every link."""

import re
from pathlib import Path

import numpy as np

import imusim as im
from imusim.allan.sensors_page import EXAMPLE, example_fit, sensors_page
from imusim.sensor.order import ORDER

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date():
    assert (DOCS / "sensors.md").read_text(encoding="utf-8") == sensors_page(), (
        "run python -m imusim.allan.sensors_page"
    )
    assert (DOCS / "allan.png").exists()


def test_the_chain_is_all_there_and_in_order():
    chain = sensors_page().split("## The chain")[1].split("## Noise")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", chain, re.MULTILINE)) == ("Clock", *ORDER)
    assert all(f"| `{name}` |" in sensors_page() for name in im.sensor.presets() if name != "ideal")


def test_code_and_yaml_run(tmp_path):
    page = sensors_page()
    t = np.arange(90) / 30
    q = np.tile([1.0, 0.0, 0.0, 0.0], (90, 24, 1))
    body = im.open_body()
    names: dict = {"motion": im.Motion(t, np.zeros((90, 3)), q, body=body)}
    exec("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), names)  # our own page
    assert names["rec"].mag.shape == (names["rec"].time_s.size, 1, 3)
    assert names["at"].time_s.tolist() == [0.11, 0.13, 0.2]
    (tmp_path / "mine.yaml").write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    assert im.sensor.find(tmp_path / "mine.yaml").name == "my watch"


def test_the_example_is_recovered():
    fit = example_fit(hours=1.0)
    n = {type(t).__name__: t for t in EXAMPLE.terms}["WhiteNoise"]
    got = np.sqrt(2) * np.stack([fit.acc.N.value, fit.gyro.N.value])
    wanted = np.array([[n.acc_density_one_sided], [n.gyro_density_one_sided]])
    assert np.abs(got / wanted - 1).max() < 0.01
