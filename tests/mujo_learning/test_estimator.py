"""The scikit-learn face in scikit-learn's own tools."""

import numpy as np
import pytest
from made_windows import made_windows
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mujo
from mujo.encoders import build
from mujo.errors import ShapeError, SplitError
from mujo.training import Budget

WINDOWS = made_windows(people=4)
LABELS = np.array(["walk", "run", "jump"])[WINDOWS.y]
SHORT = Budget(least_steps=40, most_steps=40, batch=32)


def test_group_folds_pipelines_and_clones():
    clf = mujo.HARClassifier(budget=SHORT, seed=1)
    scores = cross_val_score(clf, WINDOWS.X, LABELS, groups=WINDOWS.person, cv=GroupKFold(2))
    assert scores.min() > 0.9
    pipe = make_pipeline(FunctionTransformer(lambda x: x * 1.0), clone(clf))
    pipe.fit(WINDOWS.X, LABELS)
    assert set(pipe.predict(WINDOWS.X[:10])) <= set(LABELS)
    assert clf.get_params()["seed"] == 1
    assert not hasattr(clone(clf), "classifier_")


def test_from_a_file_frozen_or_not(tmp_path):
    path = mujo.save_encoder(tmp_path / "e.safetensors", build("fcn", channels=16))
    for freeze in (True, False):
        clf = mujo.HARClassifier(str(path), freeze=freeze, budget=SHORT).fit(
            WINDOWS.X, LABELS, groups=WINDOWS.person
        )
        proba = clf.predict_proba(WINDOWS.X[:7])
        assert proba.shape == (7, 3)
        np.testing.assert_allclose(proba.sum(axis=1), 1.0)
        assert (clf.predict(WINDOWS.X[:7]) == clf.classes_[proba.argmax(axis=1)]).all()


def test_what_is_wrong_is_told():
    X = WINDOWS.X[:30]
    with pytest.raises(SplitError, match="two classes"):
        mujo.HARClassifier().fit(X, ["a"] * 30)
    with pytest.raises(ShapeError, match="not flattened"):
        mujo.HARClassifier().fit(X.reshape(30, -1), LABELS[:30])
    with pytest.raises(ShapeError, match="wanted one each"):
        mujo.HARClassifier().fit(X, LABELS[:29])
    with pytest.raises(ShapeError, match="fresh weights"):
        mujo.HARClassifier(freeze=True).fit(WINDOWS.X, LABELS)
