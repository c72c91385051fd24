"""Between simulated and real without labels: rotations found again, statistics taken anew, simulated windows beside."""

import numpy as np
import pytest
import torch
from made_windows import made_windows
from scipy.spatial.transform import Rotation

from mujo.encoders import build, one_by_one
from mujo.errors import ConfigError, ShapeError
from mujo.finetune import Beside, Recipe, train_classifier
from mujo.joint.adapt import adapt_statistics
from mujo.joint.align import angle_deg, cover, fit_rotation, turn
from mujo.layout import Layout
from mujo.training import Budget

LAYOUT = Layout.guess(6)


def wrists(seed: int, shares: tuple[float, ...], count: int = 400) -> np.ndarray:
    """Windows of an arm that hangs, is held forward, swings, or turns, in different shares."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, count, p=shares)
    t = np.arange(100) / 50
    X = rng.normal(0, 0.15, (count, 6, 100))
    for i, k in enumerate(kind):
        wave = rng.uniform(0.8, 1.3) * np.sin(2 * np.pi * rng.uniform(0.8, 1.2) * t + rng.uniform(0, 6.3))
        tilt = rng.normal(0, 0.15, 2)
        if k == 1:
            X[i, 2] += 9.81
        else:
            X[i, 0] -= 9.81
        X[i, 1:3] += 9.81 * tilt[:, None]
        if k == 2:
            X[i, 0] -= 3 * np.abs(wave)
            X[i, 2] += 4 * wave
            X[i, 4] += 3 * wave
        if k == 3:
            X[i, 3] += 2.5 * np.maximum(wave, 0)
            X[i, 1] += 3 * wave
    return X.astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mounting_is_found_without_labels(seed):
    """Other windows, other shares of the movements, another mounting: found within ten degrees."""
    R = Rotation.random(random_state=seed).as_matrix()
    corpus = wrists(1, (0.25, 0.25, 0.25, 0.25))
    real = turn(wrists(2, (0.4, 0.15, 0.3, 0.15)), R.T)
    found = fit_rotation(real, corpus)
    assert angle_deg(found.R_cd, R) < 10.0
    assert found.distance < 0.6 * found.before
    assert found.distance < found.runner_up
    np.testing.assert_allclose(found.R_cd @ found.R_cd.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found.R_cd) == pytest.approx(1.0)
    again = fit_rotation(real, corpus)
    np.testing.assert_array_equal(again.R_cd, found.R_cd)


def test_rotations_cover_and_shapes_are_checked():
    rotations = cover(np.random.default_rng(0))
    asked = Rotation.random(200, random_state=1).as_matrix()
    nearest = [min(angle_deg(A, R) for R in rotations) for A in asked]
    assert max(nearest) < 35.0
    with pytest.raises(ShapeError, match="same channels"):
        fit_rotation(np.zeros((50, 3, 100), np.float32), np.zeros((50, 6, 100), np.float32))
    with pytest.raises(ShapeError, match="20 or more"):
        fit_rotation(np.zeros((5, 3, 100), np.float32), np.zeros((50, 3, 100), np.float32))


def test_statistics_are_those_of_the_windows():
    torch.manual_seed(0)
    encoder = build("fcn", channels=16)
    X = wrists(3, (0.25, 0.25, 0.25, 0.25), 64)
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    adapted = adapt_statistics(encoder, X, LAYOUT)
    first = adapted.layers[0]
    with torch.no_grad():
        signal = first[0](one_by_one(torch.from_numpy(X), LAYOUT))
    torch.testing.assert_close(first[1].running_mean, signal.mean(dim=(0, 2)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(first[1].running_var, signal.var(dim=(0, 2)), rtol=1e-3, atol=1e-5)
    for k, v in encoder.state_dict().items():
        torch.testing.assert_close(v, before[k], rtol=0, atol=0)  # the original is left alone
    assert adapted.made_of == encoder.made_of
    mixed = adapt_statistics(encoder, X, LAYOUT, share=0.25).layers[0][
        1
    ]  # of a mixture: what it was has mean 0, variance 1
    mean, var = first[1].running_mean, first[1].running_var
    torch.testing.assert_close(mixed.running_mean, 0.25 * mean)
    torch.testing.assert_close(mixed.running_var + mixed.running_mean**2, 0.75 + 0.25 * (var + mean**2))
    with pytest.raises(ConfigError, match="0 to 1"):
        adapt_statistics(encoder, X, LAYOUT, share=1.5)
    transformer = build("patchtransformer")
    same = adapt_statistics(transformer, X, LAYOUT).state_dict()
    for k, v in transformer.state_dict().items():
        torch.testing.assert_close(same[k], v, rtol=0, atol=0)


def test_simulated_windows_teach_a_class_that_has_one_real_one():
    real, made = made_windows(people=4, seed=0), made_windows(people=4, seed=7)
    layout = Layout.of(real.channel_names)
    few = np.array([np.flatnonzero((real.y == k) & (real.person == "p0"))[0] for k in range(3)])
    test = real.person != "p0"
    short = Budget(least_steps=60, most_steps=60, batch=32)
    torch.manual_seed(0)
    net = build("fcn", channels=16)
    shifted = made.X * 1.3  # simulated signals are not the real ones
    options = {"n_classes": 3, "layout": layout, "budget": short}
    few = few[:2]  # class 2 is known from simulated windows only
    alone, beside = (
        train_classifier(net, real.X[few], real.y[few], beside=b, **options).predict(real.X[test])
        for b in (None, Beside(shifted, made.y))
    )
    assert 2 not in alone
    assert (beside == real.y[test]).mean() > 0.9
    few = np.append(few, np.flatnonzero((real.y == 2) & (real.person == "p0"))[0])
    # only classes 0 and 1 are simulated: class 2 is still learnt from its real window
    two = made.y < 2
    part = train_classifier(
        net, real.X[few], real.y[few], beside=Beside(shifted[two], made.y[two]), **options
    )
    assert 2 in part.predict(real.X[test])
    probe = train_classifier(
        net,
        real.X[few],
        real.y[few],
        mode="probe",
        pretrained=True,
        beside=Beside(shifted, made.y),
        **options,
    )
    assert (probe.predict(real.X[test]) == real.y[test]).mean() > 0.8
    with pytest.raises(ShapeError, match="simulated"):
        train_classifier(
            net, real.X[few], real.y[few], pretrained=True, beside=Beside(shifted[:, :3], made.y), **options
        )


def test_blending_and_pulling_stay_near_the_start():
    real = made_windows(people=2)
    layout = Layout.of(real.channel_names)
    torch.manual_seed(0)
    net = build("fcn", channels=16)
    short = Budget(least_steps=30, most_steps=30, batch=32)

    def moved(**recipe: float) -> float:
        trained = train_classifier(
            net,
            real.X,
            real.y,
            n_classes=3,
            layout=layout,
            pretrained=True,
            budget=short,
            recipe=Recipe(**recipe),
        )
        start = dict(net.named_parameters())
        return (
            sum(float((p - start[n]).detach().square().sum()) for n, p in trained.encoder.named_parameters())
            ** 0.5
        )

    free = moved()
    assert moved(blend=0.0) == 0.0
    assert moved(blend=0.5) == pytest.approx(0.5 * free, rel=1e-4)
    assert moved(pull=1000.0) < 0.6 * free
    with pytest.raises(ConfigError):
        Recipe(blend=2.0)
