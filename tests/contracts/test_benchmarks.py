"""The benchmarks can be run: none is left out of the run of all, none has fallen behind what it measures."""

import importlib
from pathlib import Path

import pytest

from benchmarks import run
from imusim.sensor.order import ORDER

FOLDER = Path(run.__file__).parent


def test_the_run_of_all_leaves_none_out():
    there = {str(p.relative_to(FOLDER).with_suffix("")).replace("/", ".") for p in FOLDER.rglob("bench_*.py")}
    assert set(run.PARTS) == there


@pytest.mark.parametrize("part", run.PARTS)
def test_each_can_be_started(part):
    assert callable(importlib.import_module(f"benchmarks.{part}").main)


def test_the_bar_is_held_by_a_chain_of_every_link():
    from benchmarks.bench_bar import IDENTIFIED, TERMS

    assert [type(t).__name__ for t in TERMS] == [n for n in ORDER if n not in IDENTIFIED]
