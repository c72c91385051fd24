"""Training: it learns what can be learnt, repeats to the bit, never sees the test people, and says what is wrong."""

import dataclasses

import numpy as np
import pytest
import torch
from made_windows import made_windows

from mujo.augment import NOTHING, Augmentation
from mujo.encoders import build
from mujo.errors import ConfigError, ShapeError, SplitError, TrainingError
from mujo.finetune import train_classifier
from mujo.layout import Layout
from mujo.splits import Labelled, split
from mujo.training import Budget, seeded

WINDOWS = made_windows()
LAYOUT = Layout.of(WINDOWS.channel_names)
SHORT = Budget(least_steps=60, most_steps=60, batch=32)
PARTS = split(WINDOWS, ["p4"], Labelled(1.0))


def trained(windows=WINDOWS, seed=0, budget=SHORT, **options):
    with seeded(seed):
        encoder = options.pop("encoder", None) or build("fcn", channels=32)
    X, y = windows.X[PARTS.labelled], windows.y[PARTS.labelled]
    return train_classifier(encoder, X, y, n_classes=3, layout=LAYOUT, seed=seed, budget=budget, **options)


def weights(classifier) -> np.ndarray:
    parts = [*classifier.encoder.parameters(), *classifier.head.parameters()]
    return torch.cat([p.detach().reshape(-1) for p in parts]).numpy()


def test_it_learns_and_new_people_are_told_apart():
    found = trained().predict(WINDOWS.X[PARTS.test])
    assert (found == WINDOWS.y[PARTS.test]).mean() > 0.95


def test_same_seed_same_bits_whatever_the_threads():
    first = trained(seed=1)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        second = trained(seed=1)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(weights(first), weights(second))
    assert (weights(trained(seed=2)) != weights(first)).any()


def test_test_people_are_not_read():
    """Other signals and labels of the test people change no bit of what is trained."""
    X, y = WINDOWS.X.copy(), WINDOWS.y.copy()
    X[PARTS.test], y[PARTS.test] = np.nan, 0
    poisoned = dataclasses.replace(WINDOWS, X=X, y=y)
    np.testing.assert_array_equal(weights(trained(poisoned)), weights(trained()))


def test_probe_leaves_the_encoder_and_finetuning_does_not_change_the_given_one():
    with seeded(5):
        encoder = build("fcn", channels=32)
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    probe = trained(encoder=encoder, mode="probe", pretrained=True)
    tuned = trained(encoder=encoder, mode="finetune", pretrained=True)
    for k, v in encoder.state_dict().items():
        torch.testing.assert_close(v, before[k], rtol=0, atol=0)
        torch.testing.assert_close(probe.encoder.state_dict()[k], before[k], rtol=0, atol=0)
    assert any((tuned.encoder.state_dict()[k] != before[k]).any() for k in before)
    truth = WINDOWS.y[PARTS.test]
    assert (probe.predict(WINDOWS.X[PARTS.test]) == truth).mean() > 0.8  # random filters, linear probe
    assert (tuned.predict(WINDOWS.X[PARTS.test]) == truth).mean() > 0.95


def test_probe_against_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    from mujo.finetune import features

    with seeded(5):
        encoder = build("fcn", channels=16)
    probe = trained(encoder=encoder, mode="probe", pretrained=True)
    found = ((features(encoder, WINDOWS.X, LAYOUT) - probe.centre) / probe.scale).double().numpy()
    peer = LogisticRegression(class_weight="balanced", max_iter=1000, tol=1e-8)
    peer.fit(found[PARTS.labelled], WINDOWS.y[PARTS.labelled])
    ours = probe.predict_proba(WINDOWS.X[PARTS.test])
    np.testing.assert_allclose(ours, peer.predict_proba(found[PARTS.test]), atol=0.02)


def test_a_class_without_windows_is_never_guessed():
    some = PARTS.labelled[WINDOWS.y[PARTS.labelled] != 1]
    with seeded(0):
        encoder = build("fcn", channels=16)
    for mode in ("finetune", "probe"):
        found = train_classifier(
            encoder, WINDOWS.X[some], WINDOWS.y[some], n_classes=3, layout=LAYOUT, budget=SHORT, mode=mode,
            pretrained=mode == "probe",
        )  # fmt: skip
        assert 1 not in found.predict(WINDOWS.X)


def test_what_is_wrong_is_told():
    X, y = WINDOWS.X[:20], WINDOWS.y[:20]
    make = build("fcn", channels=16)
    kind = {"n_classes": 3, "layout": LAYOUT, "budget": SHORT}
    with pytest.raises(ShapeError, match=r"wanted \(N, 6, T\)"):
        train_classifier(make, X[:, :3], y, **kind)
    bad = X.copy()
    bad[3, 2, 1] = np.nan
    with pytest.raises(ShapeError, match="1 windows with NaN"):
        train_classifier(make, bad, y, **kind)
    with pytest.raises(SplitError, match="1 class"):
        train_classifier(make, X, np.zeros(20, int), **kind)
    with pytest.raises(ShapeError, match="labels go from"):
        train_classifier(make, X, y + 5, **kind)
    with pytest.raises(ConfigError, match="mode"):
        train_classifier(make, X, y, mode="zero", **kind)
    with pytest.raises(ConfigError):
        Budget(lr=0.0)


def test_a_loss_that_is_no_number_stops_the_training():
    with pytest.raises(TrainingError, match="became"):
        trained(budget=Budget(lr=1e30))


def test_augmentations_keep_what_they_promise():
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(2000, 8, 20)
    x[:, 2], x[:, 4], x[:, 6:] = 1.0, 0.5, 1.0
    assert torch.equal(NOTHING(x, generator), x)
    turned = Augmentation(rotation_deg=40.0, scale=0, noise=0, tempo=0)(x, generator)
    angle = torch.rad2deg(torch.arccos(turned[:, 2, 0].clamp(-1, 1)))
    assert 30.0 < angle.max() <= 40.01
    torch.testing.assert_close(turned[:, :3].norm(dim=1), torch.ones(2000, 20))
    torch.testing.assert_close(
        (turned[:, :3] * turned[:, 3:6]).sum(1), torch.zeros(2000, 20), atol=1e-6, rtol=0
    )
    anywhere = Augmentation(rotation_deg=180.0, scale=0, noise=0, tempo=0)(x, generator)[:, :3, 0]
    assert anywhere.mean(dim=0).abs().max() < 0.05  # uniform over the sphere
    torch.testing.assert_close(anywhere.square().mean(dim=0), torch.full((3,), 1 / 3), atol=0.03, rtol=0)
    noisy = Augmentation(rotation_deg=0, scale=0, noise=0.1, tempo=0)(x, generator) - x
    assert noisy[:, :6].std() == pytest.approx(0.1, rel=0.02)
    assert noisy[:, 6:].abs().max() == 0
    sized = Augmentation(rotation_deg=0, scale=0.2, noise=0, tempo=0)(x, generator)[:, 2, 0].log()
    assert sized.std() == pytest.approx(0.2, rel=0.05)
    gone = Augmentation(rotation_deg=0, scale=0, noise=0, tempo=0, drop_gyro=0.3)(x, generator)
    assert (gone[:, 7, 0] == 0).float().mean() == pytest.approx(0.3, abs=0.04)
    assert gone[gone[:, 7, 0] == 0][:, 3:6].abs().max() == 0


def test_tempo_changes_frequency_and_rate_alike():
    from mujo.augment import warp

    t = torch.arange(200) / 50 - 1.99
    x = torch.zeros(1, 6, 200)
    x[0, 0], x[0, 3] = torch.sin(2 * torch.pi * t), torch.sin(2 * torch.pi * t)
    y = warp(x, torch.tensor([0.8]))
    torch.testing.assert_close(y[0, 0], torch.sin(2 * torch.pi * 0.8 * t), atol=3e-3, rtol=0)
    torch.testing.assert_close(y[0, 3], 0.8 * torch.sin(2 * torch.pi * 0.8 * t), atol=3e-3, rtol=0)
