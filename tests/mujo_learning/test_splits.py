"""Nobody and nothing on both sides; smaller shares are part of larger ones."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_windows import made_windows

from mujo.errors import SplitError
from mujo.splits import FRACTIONS, UNITS_A_CLASS, Labelled, check_no_leak, labelled_units, person_folds, split

WINDOWS = made_windows(people=6, bouts=7)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10**6), st.sampled_from(FRACTIONS), st.integers(0, 99))
def test_no_person_recording_or_window_is_on_both_sides(folds, seed, fraction, draw):
    everyone = sorted(set(WINDOWS.person.tolist()))
    dealt = person_folds(everyone, folds, seed)
    assert sorted(p for f in dealt for p in f) == everyone
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    for test_people in dealt:
        parts = split(WINDOWS, test_people, Labelled(fraction), draw)
        assert not set(WINDOWS.person[parts.unlabelled]) & set(WINDOWS.person[parts.test])
        assert not set(WINDOWS.unit[parts.unlabelled]) & set(WINDOWS.unit[parts.test])
        assert set(parts.labelled) <= set(parts.unlabelled)
        assert set(WINDOWS.person[parts.test]) == set(test_people)
        assert len(parts.unlabelled) + len(parts.test) == len(WINDOWS)


def test_the_leak_check_can_fail():
    train, test = np.flatnonzero(WINDOWS.person != "p1"), np.flatnonzero(WINDOWS.person == "p1")
    check_no_leak(WINDOWS, train, test)
    with pytest.raises(SplitError, match="person p1"):
        check_no_leak(WINDOWS, np.append(train, test[0]), test)
    mixed = dataclasses.replace(WINDOWS, person=np.array([f"q{i}" for i in range(len(WINDOWS))]))
    with pytest.raises(
        SplitError, match="recording"
    ):  # overlapping windows of one recording, called two people
        check_no_leak(mixed, np.array([0]), np.array([1]))


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_shares_are_nested_stratified_and_never_leave_a_class_empty(seed):
    people = ["p0", "p1", "p2", "p3", "p4"]
    sizes = [*(Labelled(f) for f in FRACTIONS), *(Labelled(units=k) for k in UNITS_A_CLASS)]
    found = [set(labelled_units(WINDOWS, people, how, seed).tolist()) for how in sizes]
    found.sort(key=len)
    for small, large in itertools.pairwise(found):
        assert small <= large
    assert len(found[-1]) == 5 * 3 * 7
    for how in sizes:
        units = labelled_units(WINDOWS, people, how, seed)
        classes = [WINDOWS.y[WINDOWS.unit == u][0] for u in units]
        assert len(set(np.bincount(classes, minlength=3))) == 1  # as many of each class here
        assert min(np.bincount(classes, minlength=3)) >= 1
        assert len({WINDOWS.person[WINDOWS.unit == u][0] for u in units} - set(people)) == 0


def test_different_seeds_label_different_recordings():
    people = ["p0", "p1", "p2"]
    assert any(
        (
            labelled_units(WINDOWS, people, Labelled(units=1), 0)
            != labelled_units(WINDOWS, people, Labelled(units=1), s)
        ).any()
        for s in (1, 2, 3)
    )


@pytest.mark.parametrize(
    "how", [{}, {"fraction": 0.5, "units": 2}, {"fraction": 0.0}, {"fraction": 1.5}, {"units": 0}]
)
def test_impossible_shares_are_told(how):
    with pytest.raises(SplitError):
        Labelled(**how)


def test_impossible_splits_are_told():
    with pytest.raises(SplitError, match="no windows of the test people"):
        split(WINDOWS, ["nobody"], Labelled(1.0))
    with pytest.raises(SplitError, match="nobody is left"):
        split(WINDOWS, sorted(set(WINDOWS.person.tolist())), Labelled(1.0))
    with pytest.raises(SplitError, match="folds"):
        person_folds(["a", "b"], 3)
    only_p0 = WINDOWS.y.copy()
    only_p0[WINDOWS.person == "p0"] = 2
    only_p0[(WINDOWS.person != "p0") & (only_p0 == 2)] = 1
    with pytest.raises(SplitError, match="'c2' has no recording"):
        split(dataclasses.replace(WINDOWS, y=only_p0), ["p0"], Labelled(0.1))
