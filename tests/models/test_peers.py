"""The figures of other libraries and papers name protocols that movietui has."""

from movietui.answers.compare_runs import published_results
from movietui.data.fetch.sources import SOURCES
from movietui.data.split_names import NAMES, protocol
from movietui.models.choices import metric_named
from movietui.models.evaluation.peers import PEERS
from movietui.models.evaluation.reproduce import EXPERIMENTS

NARROW = 13
"""How many cells the table of runs has for a source in a narrow window."""


def test_figures_name_datasets_splits_and_metrics_that_exist() -> None:
    for peer in PEERS:
        assert peer.dataset in SOURCES
        assert peer.split in {*NAMES, *map(protocol, NAMES)}
        assert peer.metrics
        for name in peer.metrics:
            metric = metric_named(name)
            assert metric is not None
            assert peer.task in metric.tasks
        assert len(peer.source[0]) <= NARROW
        assert len(peer.model) <= NARROW
        assert peer.source[1]
    facts = [(peer.model, peer.dataset, peer.split, peer.source) for peer in PEERS]
    assert len(set(facts)) == len(facts)


def test_a_mean_over_folds_says_so() -> None:
    for peer in PEERS:
        assert (peer.split == "kfold5") == ("folds" in peer.note)


def test_every_figure_is_listed_with_its_source() -> None:
    rows = published_results()
    assert len(rows) == len(EXPERIMENTS) + len(PEERS)
    assert all(row["by"] and row["reference"] for row in rows)
    (row,) = published_results("ml-20m", "RecVAE", "strong")
    assert (row["by"], row["metrics"]) == ("Shenbin 2020", {"recall@20": 0.414, "recall@50": 0.553, "ndcg@100": 0.442})
    assert "Shenbin et al., RecVAE" in row["reference"]
    assert published_results("ml-100k", "user-knn")[0]["by"] == "system 003"
