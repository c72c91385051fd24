"""What holds for every term: zero strength, seeds, independence of order and blocks, gaps."""

import numpy as np
import pytest
from sensor_cases import STRONG, TERM_CLASSES, context, motion, same_bits

import imusim as im
from imusim.sensor import (
    Bandwidth,
    Bias,
    BiasInstability,
    Clock,
    Quantisation,
    RockingMount,
    ScaleCrossAxis,
    Sensor,
    Signals,
    SoftTissue,
    Term,
    WhiteNoise,
)
from imusim.sensor.order import ORDER


def test_every_public_term_is_covered_here():
    assert {type(t) for t in STRONG} == set(TERM_CLASSES)
    assert tuple(type(t).__name__ for t in STRONG) == ORDER


@pytest.mark.parametrize("kind", TERM_CLASSES)
def test_zero_strength_is_the_identity_to_the_bit(kind):
    x = motion()
    out = kind()(x, context())
    assert same_bits(out.acc, x.acc)
    assert same_bits(out.gyro, x.gyro)
    assert same_bits(out.mag, x.mag)
    assert isinstance(kind(), Term)


@pytest.mark.parametrize("term", STRONG, ids=lambda t: type(t).__name__)
def test_strong_terms_change_signals_and_not_their_input(term):
    x = motion()
    before = x.acc.copy(), x.gyro.copy()
    out = term(x, context())
    changed = {n for n in ("acc", "gyro", "mag") if not same_bits(getattr(out, n), getattr(x, n))}
    only = {"GSensitivity": {"gyro"}, "HardSoftIron": {"mag"}}
    assert changed >= only.get(type(term).__name__, {"acc", "gyro"})
    assert same_bits(x.acc, before[0])
    assert same_bits(x.gyro, before[1])


@pytest.mark.parametrize("term", STRONG[:-1], ids=lambda t: type(t).__name__)
def test_gaps_stay_gaps_and_do_not_spread(term):
    x = motion()
    acc = x.acc.copy()
    acc[100:120, 1] = np.nan
    whole, gappy = term(x, context()), term(x.with_(acc=acc), context())
    missing = np.isnan(acc)
    assert (np.isnan(gappy.acc) == missing).all()
    if isinstance(term, Bandwidth | SoftTissue | RockingMount):  # they begin anew behind a gap
        missing[120:, 1] = True
    assert same_bits(gappy.acc[~missing], whole.acc[~missing])


@pytest.mark.parametrize("term", STRONG, ids=lambda t: type(t).__name__)
def test_a_longer_recording_begins_like_a_shorter_one(term):
    long, short = motion(300), motion(300)
    short = short.part(0, 77)
    a, b = term(long, context()), term(short, context())
    for name in ("acc", "gyro", "mag"):
        assert same_bits(getattr(a, name)[:77].copy(), getattr(b, name).copy())


@pytest.mark.parametrize("cuts", [(1, 2, 3), (77, 150, 151, 290), tuple(range(10, 300, 10))])
def test_blocks_change_no_bit(cuts):
    x, sensor = motion(), Sensor("x", tuple(t for t in STRONG if not isinstance(t, Quantisation)))
    whole = sensor.begin(100.0, 3, ("a", "b", "c"))(x)
    run = sensor.begin(100.0, 3, ("a", "b", "c"))
    parts = [run(x.part(a, b)) for a, b in zip((0, *cuts), (*cuts, 300), strict=True)]
    for name in ("acc", "gyro", "mag"):
        assert same_bits(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name).copy())
    assert same_bits(sensor.apply(x, 100.0, 3, ("a", "b", "c")).acc.copy(), whole.acc.copy())


def test_same_seed_same_bits_other_seed_other_bits():
    sensor, x = Sensor("x", STRONG), motion()
    a, b, c = (sensor.apply(x, 100.0, seed) for seed in (7, 7, 8))
    assert same_bits(a.acc, b.acc)
    assert same_bits(a.gyro, b.gyro)
    assert not same_bits(a.acc, c.acc)


def test_a_sensor_gets_the_same_numbers_whoever_else_is_there():
    x, terms = motion(), (Bias(0.5, 0.1), BiasInstability(1e-3, 1e-3), WhiteNoise(0.01, 0.001))
    three = Sensor("x", terms).apply(x, 100.0, 3, ("a", "b", "c"))
    one = Signals(x.time_s, x.acc[:, 1:2], x.gyro[:, 1:2])
    alone = Sensor("x", terms).apply(one, 100.0, 3, ("b",))
    assert same_bits(three.acc[:, 1:2].copy(), alone.acc)
    # and a term its own, whatever other terms there are
    zero = x.with_(acc=np.zeros_like(x.acc))
    only = Sensor("x", (WhiteNoise(0.01),)).apply(zero, 100.0, 3).acc
    more = Sensor("x", (ScaleCrossAxis(0.1), BiasInstability(), WhiteNoise(0.01))).apply(zero, 100.0, 3).acc
    assert same_bits(only, more)


def test_two_terms_of_one_class_draw_different_numbers():
    zero = motion().with_(acc=np.zeros((300, 3, 3)))
    out = Sensor("x", (WhiteNoise(1.0), WhiteNoise(1.0))).apply(zero, 100.0, 0).acc
    assert out.std() == pytest.approx(np.sqrt(2 * 50), rel=0.05)


def test_an_empty_recording_is_no_trouble():
    empty = Signals(np.zeros(0), np.zeros((0, 2, 3)), np.zeros((0, 2, 3)))
    assert Sensor("x", STRONG).apply(empty, 100.0).acc.shape == (0, 2, 3)


def test_a_perfect_clock_is_the_identity():
    assert Clock().perfect
    x = motion()
    rec = im.Recording(x.time_s, x.acc, x.gyro, ("a", "b", "c"), unit="m/s2")
    assert Sensor("x").measure(rec) is rec
    assert Sensor("x", (Bias(0.5),)).measure(rec).true_time_s is None
