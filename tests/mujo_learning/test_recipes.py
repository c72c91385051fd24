"""Names and labels together: the gain is the likeliest, a head learns what a hint leaves open, recordings count."""

import dataclasses

import numpy as np
import pytest
import torch
from made_windows import made_windows
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from mujo.augment import LIGHT
from mujo.encoders import build
from mujo.evaluate import zeroshot_selection
from mujo.evaluate.recipes import CANDIDATES, CHOSEN, Labels, Rule, fit
from mujo.evaluate.selection import SCRATCH, chosen_by_fold, inner_people, table
from mujo.finetune import features, train_classifier
from mujo.joint import zeroshot
from mujo.joint.model import JointModel
from mujo.joint.zeroshot import Names, embed_windows
from mujo.layout import Layout
from mujo.splits import person_folds
from mujo.training import Budget

REAL = made_windows(people=3)
LAYOUT = Layout.of(REAL.channel_names)
SHORT = Budget(least_steps=20, most_steps=20, batch=32)


def names_of(rows: torch.Tensor, classes=(0, 1, 2), count: int = 3) -> Names:
    torch.manual_seed(0)
    model = JointModel(options={"channels": 16}, dimension=rows.shape[1], text_width=4).eval()
    return Names(model, LAYOUT, torch.nn.functional.normalize(rows, dim=1), np.array(classes), count)


def means_as_names(classes=(0, 1, 2)) -> Names:
    """Names that lie where what they call does, and differ from the others."""
    blank = names_of(torch.eye(3, 32))
    found = embed_windows(blank.model, REAL.X, LAYOUT)
    around = (found - found.mean(dim=0)).T @ (found - found.mean(dim=0)) / len(found)
    middles = torch.stack([found[REAL.y == k].mean(dim=0) for k in classes]) - found.mean(dim=0)
    middles = torch.linalg.solve(around + 1e-5 * torch.eye(32), middles.T).T  # linear discriminants
    return names_of(middles, classes)


def test_the_gain_is_the_likeliest(monkeypatch):
    monkeypatch.setattr(zeroshot, "MOST", 1e4)  # untrained filters tell windows apart by small angles
    names = means_as_names()
    few = np.r_[0:40, 60:75, 100:110]
    y = REAL.y[few].copy()
    y[::4] = (y[::4] + 1) % 3  # names that are right about most
    fitted = names.fitted(REAL.X[few], y)
    scores = names(REAL.X[few]).double().numpy()
    weight = (1 / np.bincount(y))[y]

    def cost(gain: float) -> float:
        z = gain * scores
        return float((weight * (logsumexp(z, axis=1) - z[np.arange(len(y)), y])).sum())

    best = minimize_scalar(cost, bounds=(0, 1e4), method="bounded", options={"xatol": 1e-3}).x
    assert 1.0 < best < 9e3
    assert fitted.gain == pytest.approx(best, rel=1e-3)
    monkeypatch.undo()
    assert names.fitted(REAL.X[few], y).gain == zeroshot.MOST  # bounded
    torch.testing.assert_close(fitted(REAL.X[:5]), fitted.gain * names(REAL.X[:5]))


def test_names_that_say_the_opposite_get_no_gain():
    names = means_as_names()
    wrong = dataclasses.replace(names, middles=-names.middles)
    assert wrong.fitted(REAL.X, REAL.y).gain == 0.0


def test_a_class_without_sentence_is_neither_favoured_nor_guessed():
    names = means_as_names(classes=(0, 2))
    scores = names(REAL.X)
    assert scores[:, 1].abs().max() == 0.0
    torch.testing.assert_close(scores.sum(dim=1), torch.zeros(len(REAL)), atol=1e-5, rtol=0)
    assert set(names.guess(REAL.X)) <= {0, 2}


@pytest.mark.parametrize("mode", ["probe", "finetune"])
def test_a_hint_that_knows_is_followed_and_left_alone(mode):
    torch.manual_seed(0)
    net = build("fcn", channels=16)
    truth = torch.nn.functional.one_hot(torch.from_numpy(REAL.y), 3) * 30.0
    where = {x.tobytes(): row for x, row in zip(REAL.X, truth, strict=True)}

    def hint(X):
        return torch.stack([where[x.tobytes()] for x in X])

    few = REAL.person == "p0"
    options = {"n_classes": 3, "layout": LAYOUT, "mode": mode, "pretrained": True, "budget": SHORT}
    found = train_classifier(net, REAL.X[few], REAL.y[few], hint=hint, recordings=9, **options)
    assert (found.predict(REAL.X) == REAL.y).all()
    if mode == "probe":  # nothing was left to learn
        assert found.head.weight.abs().max() < 1e-3
    p = found.predict_proba(REAL.X)
    z = found.head((features(found.encoder, REAL.X, LAYOUT) - found.centre) / found.scale) + hint(REAL.X)
    np.testing.assert_allclose(p, torch.softmax(z.double(), 1).numpy(), atol=1e-6)


def test_the_probe_with_a_hint_is_the_optimum_that_scipy_finds():
    torch.manual_seed(1)
    net = build("fcn", channels=4)
    few = np.flatnonzero(REAL.person == "p0")
    X, y = REAL.X[few], REAL.y[few]
    given = np.random.default_rng(0).normal(size=(len(REAL), 3))
    where = {x.tobytes(): row for x, row in zip(REAL.X, given, strict=True)}

    def hint(X):
        return torch.tensor(np.array([where[x.tobytes()] for x in X]), dtype=torch.float32)

    for recordings in (9, None):
        probe = train_classifier(
            net,
            X,
            y,
            n_classes=3,
            layout=LAYOUT,
            mode="probe",
            pretrained=True,
            hint=hint,
            recordings=recordings,
        )
        z = ((features(net, X, LAYOUT) - probe.centre) / probe.scale).double().numpy()
        penalty = 1.0 / (recordings or len(X))

        def cost(w, z=z, penalty=penalty):
            scores = z @ w[:-3].reshape(-1, 3) + w[-3:] + given[few]
            scores -= scores.max(axis=1, keepdims=True)
            log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
            return -log_p[np.arange(len(y)), y].mean() + 0.5 * penalty * np.square(w[:-3]).sum()

        best = minimize(cost, np.zeros(z.shape[1] * 3 + 3), method="L-BFGS-B", options={"maxfun": 10**6})
        ours = np.concatenate(
            [probe.head.weight.double().numpy().T.ravel(), probe.head.bias.double().numpy()]
        )
        assert cost(ours) == pytest.approx(best.fun, abs=2e-4)


def test_no_hint_changes_no_bit():
    """Rows from scratch are comparable over versions: a hint of zeros is no hint."""
    torch.manual_seed(0)
    net = build("fcn", channels=8)
    options = {"n_classes": 3, "layout": LAYOUT, "budget": SHORT}
    plain = train_classifier(net, REAL.X, REAL.y, **options)
    zero = train_classifier(net, REAL.X, REAL.y, hint=lambda X: torch.zeros(len(X), 3), **options)
    assert torch.equal(plain.head.weight, zero.head.weight)
    assert plain.history == zero.history


@pytest.mark.parametrize("name", [*CANDIDATES])
def test_every_rule_learns_from_one_recording_a_class(name):
    torch.manual_seed(0)
    net = build("fcn", channels=16)
    made = made_windows(people=3, seed=7)
    few = np.flatnonzero(np.isin(REAL.unit, [np.flatnonzero(REAL.y == k)[0] // 6 for k in range(3)]))
    labels = Labels(REAL.X[few], REAL.y[few], 3)
    assert labels.a_class == 1.0
    found = fit(
        CANDIDATES[name], net, labels, (made.X, made.y), means_as_names(), augmentation=LIGHT,
        budget=Budget(least_steps=60, most_steps=60, batch=32), n_classes=3, layout=LAYOUT,
    )  # fmt: skip
    if not CANDIDATES[name].blended:  # half the weights of untrained filters are no classifier
        assert (found.predict(REAL.X) == REAL.y).mean() > 0.6
    assert (found.hint is not None) == CANDIDATES[name].names


def test_simulated_windows_weigh_less_the_more_is_labelled(monkeypatch):
    import mujo.evaluate.recipes as recipes

    seen = []
    real = recipes.train_classifier
    monkeypatch.setattr(
        recipes,
        "train_classifier",
        lambda *a, **k: seen.append(k["beside"] and k["beside"].weight) or real(*a, **k),
    )
    net, made = build("fcn", channels=8), made_windows(people=2, seed=7)
    for recordings in (3, 6, 24):
        fit(
            Rule(beside=0.6), net, Labels(REAL.X, REAL.y, recordings), (made.X, made.y), None,
            augmentation=recipes.Augmentation(), budget=Budget(least_steps=1, most_steps=1), n_classes=3, layout=LAYOUT,
        )  # fmt: skip
    assert seen[:2] == pytest.approx([0.6, 0.3])
    assert seen[2] is None


def test_simulated_windows_of_classes_that_are_not_labelled_are_left_out():
    """UTD-MHAD's wrist has 21 of 27 classes; the corpus shows all."""
    made = made_windows(people=2, seed=7)
    few = REAL.y < 2
    short = {
        "budget": Budget(least_steps=2, most_steps=2),
        "n_classes": 3,
        "layout": LAYOUT,
        "augmentation": LIGHT,
    }
    labels = Labels(REAL.X[few], REAL.y[few], 2)
    found = fit(Rule(), build("fcn", channels=8), labels, (made.X, made.y), None, **short)
    assert set(found.predict(REAL.X)) <= {0, 1}
    assert found.head.bias[2] < -1e3
    only = made.y == 2
    fit(Rule(), build("fcn", channels=8), labels, (made.X[only], made.y[only]), None, **short)  # as without


def test_names_are_left_out_where_much_is_labelled():
    net = build("fcn", channels=8)
    short = {"budget": Budget(least_steps=1, most_steps=1), "n_classes": 3, "layout": LAYOUT}
    for recordings, hinted in ((30, True), (33, False)):
        labels = Labels(REAL.X, REAL.y, recordings)
        found = fit(Rule(names=True), net, labels, None, means_as_names(), augmentation=LIGHT, **short)
        assert (found.hint is not None) == hinted


def test_selection_never_sees_test_people():
    people = [f"p{i}" for i in range(10)]
    for fold in range(5):
        inner = inner_people(people, fold)
        test = person_folds(people, 5)[fold]
        assert not set(test) & {*inner.train, *inner.held_out}
        assert not set(inner.train) & set(inner.held_out)
        assert len(inner.train) + len(inner.held_out) + len(test) == 10
        assert len(inner.held_out) >= 2


def test_a_fold_chooses_the_highest_mean():
    good, other = CHOSEN, next(n for n in CANDIDATES if n != CHOSEN)
    cells = {
        (d, f): {n: {"k1": 0.2 + 0.5 * (n == (good if f == 0 else other))} for n in (SCRATCH, *CANDIDATES)}
        for d in ("spar", "mhealth")
        for f in (0, 1)
    }
    assert chosen_by_fold(cells, "k1") == {0: good, 1: other}
    text = table(cells)
    assert f"fold 0: {good}; fold 1: {other}" in text
    assert "| from scratch | 0.200 | 0.200 | 0.200 |" in text


def test_the_share_of_statistics_that_each_fold_would_choose():
    found = {("a", 0): [0.1, 0.2, 0.3, 0.1, 0.1], ("b", 0): [0.3, 0.2, 0.3, 0.4, 0.1], ("a", 1): [0.5, 0.1, 0.1, 0.1, 0.1],
             ("b", 1): [0.1, 0.1, 0.1, 0.2, 0.2]}  # fmt: skip
    text = zeroshot_selection.table(found)
    assert "| **0.5** | 0.200 | 0.200 | 0.200 |" in text
    assert "fold 0: 0.5, fold 1: 0" in text
