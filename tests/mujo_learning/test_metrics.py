"""Macro-F1 against scikit-learn; the interval against a plain loop."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from mujo.metrics import accuracy, confusion, macro_f1, person_interval

RNG = np.random.default_rng(3)


def test_against_scikit_learn():
    for _ in range(20):
        truth, guess = RNG.integers(0, 5, 200), RNG.integers(0, 4, 200)
        guess = np.where(RNG.random(200) < 0.6, truth, guess)
        counts = confusion(truth, guess, 6)  # class 5 occurs nowhere
        np.testing.assert_array_equal(counts, confusion_matrix(truth, guess, labels=range(6)))
        assert macro_f1(counts) == pytest.approx(f1_score(truth, guess, average="macro"), abs=1e-12)
        assert accuracy(counts) == pytest.approx(accuracy_score(truth, guess), abs=1e-12)


def test_a_class_that_is_only_guessed_counts_as_zero():
    counts = confusion(np.array([0, 0, 1]), np.array([0, 2, 1]), 3)
    assert macro_f1(counts) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert macro_f1(counts, np.array([True, True, False])) == pytest.approx((2 / 3 + 1) / 2)


def test_interval_is_that_of_drawing_people():
    people = [confusion(RNG.integers(0, 3, 60), RNG.integers(0, 3, 60), 3) for _ in range(7)]
    people += [np.diag([20, 20, 20])] * 3
    low, high = person_interval(np.array(people), draws=4000)
    drawn = [macro_f1(sum(people[i] for i in RNG.integers(0, 10, 10))) for _ in range(4000)]
    np.testing.assert_allclose([low, high], np.quantile(drawn, [0.025, 0.975]), atol=0.02)
    assert low < macro_f1(sum(people)) < high
    assert all(np.isnan(person_interval(np.array(people[:1]))))
