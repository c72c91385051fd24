"""The page of the results: differences are paired, prose stays, every table is there."""

import numpy as np
import pytest

from mujo.errors import ConfigError
from mujo.evaluate.merge import merge
from mujo.evaluate.page import BEGIN, END, difference, paired_interval, write_page
from mujo.evaluate.plan import Run
from mujo.evaluate.results import Results, key_of
from mujo.evaluate.tables import method_name, section_of
from mujo.metrics import macro_f1
from mujo.splits import parse_labelled


def matrix(right: int, of: int = 20) -> np.ndarray:
    """Confusion of two classes, `right` of `of` right in each."""
    return np.array([[right, of - right], [of - right, right]])


def add(
    results,
    people,
    objective="none",
    mode="finetune",
    variant="main",
    labelled="f0.01",
    seed=0,
    dataset="spar",
):
    init = "scratch" if objective == "none" else "pretrained"
    run = Run(dataset, "fcn", objective, init, mode, parse_labelled(labelled), seed, seed, variant)
    total = np.sum(list(people.values()), axis=0)
    row = {
        "fraction": 0.01, "macro_f1": f"{float(macro_f1(total)):.6f}", "accuracy": "0", "n_train": 100, "n_test": 40,
        "seconds": "1", "commit": "x", "pretrain_corpus": "none", "target_motion_used": "no", "alignment": "none",
        "n_units": 7,
    }  # fmt: skip
    assert results.add(run, row, people)


@pytest.fixture
def results(tmp_path):
    found = Results(tmp_path / "runs")
    for seed in (0, 1):
        mine = {f"p{4 * seed + i}": matrix(10 + i) for i in range(4)}
        better = {p: matrix(m[0, 0] + 4) for p, m in mine.items()}
        add(found, mine, seed=seed)
        add(found, better, "mujo", variant="together", seed=seed)
        add(found, mine, "mujo", mode="zeroshot", labelled="f1", seed=seed)
        add(found, mine, "mujo", mode="finetune", variant="together, no text", seed=seed)
        add(
            found,
            mine,
            "mujo",
            mode="zeroshot",
            variant="transfer",
            labelled="f1",
            seed=seed,
            dataset="utd_mhad",
        )
    return found


def rows(results, **what):
    return [r for r in results.rows() if all(r[k] == v for k, v in what.items())]


def test_a_difference_is_paired_by_seed_and_person(results):
    ours, theirs = rows(results, variant="together"), rows(results, objective="none")
    text = difference(results, ours, theirs)
    expected = np.mean(
        [float(a["macro_f1"]) - float(b["macro_f1"]) for a, b in zip(ours, theirs, strict=True)]
    )
    assert expected == pytest.approx(0.2, abs=1e-6)
    assert text.startswith(
        f"**{expected:+.3f} ({expected:+.3f}) ["
    )  # every person gains the same: the interval is above zero
    assert difference(results, [], theirs) == ""
    assert difference(results, ours[:1], theirs[1:]) == ""  # other seeds are no pairs


def test_intervals_of_differences():
    one, other = (
        np.array([matrix(m) for m in (12, 15, 9, 18)]),
        np.array([matrix(m) for m in (10, 13, 7, 16)]),
    )
    low, high = paired_interval(one, other)
    assert low == pytest.approx(0.1, abs=1e-9)  # two of twenty, whoever is drawn
    assert high == pytest.approx(0.1, abs=1e-9)
    low, high = paired_interval(one, other[::-1])
    assert low < macro_f1(one.sum(0)) - macro_f1(other.sum(0)) < high
    assert high - low > 0.1
    assert np.isnan(paired_interval(one[:1], other[:1])).all()


def test_the_page_keeps_prose_and_replaces_tables(results, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "results.md").write_text(
        f"# Results\n\nWhat people wrote.\n\n{BEGIN}\nold table\n{END}\n\nA last word.\n"
    )
    for _ in range(2):  # a second time gives the same
        files = write_page(tmp_path / "runs", docs)
        text = (docs / "results.md").read_text()
        assert all(f.stat().st_size > 100 for f in files)
        assert "What people wrote." in text
        assert text.endswith("A last word.\n")
        assert "old table" not in text
        assert text.count("## Pre-trained against from scratch") == 1
        assert text.count("## UTD-MHAD (Chen et al. 2015): cross-modal transfer") == 1
        assert "what is left out" in text
        assert "| 1 %, 7 bouts | 0.575 | 0.775 | **+0.200" in text
    assert (docs / "results.csv").read_text() == results.path.read_text()


def test_methods_have_names_that_say_what_is_in_them(results):
    found = {method_name(r): section_of(r) for r in results.rows()}
    assert found == {
        "fcn, from scratch": "spar",
        "fcn, mujo, fine-tuned, beside simulated windows": "spar",
        "fcn, mujo, zero-shot by names": "utd_mhad-transfer",
        "fcn, mujo, fine-tuned, beside simulated windows [no text]": "spar-ablations",
    }


def test_rows_that_were_run_again_replace_the_others(results, tmp_path):
    """Two folders in one: every run once, the later folder's row and confusion matrices count."""
    later = Results(tmp_path / "later")
    people = {f"p{i}": matrix(20) for i in range(4)}
    add(later, people)
    path = merge(tmp_path / "all", [results.folder, later.folder])
    merged = Results(path.parent)
    assert merged.done() == results.done()
    assert len(merged.rows()) == len(results.rows())
    (row,) = [r for r in merged.rows() if key_of(r) == next(iter(later.done()))]
    assert float(row["macro_f1"]) == 1.0
    np.testing.assert_array_equal(merged.people_of(row)["p0"], matrix(20))
    with pytest.raises(ConfigError, match="rows already"):
        merge(path.parent, [later.folder])
    with pytest.raises(ConfigError, match="into itself"):
        merge(later.folder, [later.folder])
    with pytest.raises(ConfigError, match=r"no results\.csv"):
        merge(tmp_path / "new", [tmp_path / "nothing"])
