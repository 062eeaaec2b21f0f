"""Figures that other libraries and papers report for protocols that movietui has too.

A figure belongs here only if its protocol is that of the named split, up to the random draw, and if the note says
wherever it is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from movietui.data.language import tr
from movietui.models.choices import Task

ANOTHER_TENTH = tr("another random tenth is in test")
OF_FIVE_FOLDS = tr("mean over the five folds")
WITH_FACTS = tr("the model also reads facts about users and movies")
OF_DAYS = tr("the model also reads on which day a rating was given")
ORDERED_PROBIT = tr("stars are levels (ordered probit)")
ON_TEST = tr("the best epoch was chosen on the test part")
OF_FIVE_OR_MORE = tr("all ratings are relevant; without movies with fewer than five ratings")
OF_SEEDS = tr("mean over three split seeds, with lists in the order likely")

SURPRISE = (
    "Hug 2020",
    tr("Hug, Surprise: a Python library for recommender systems, 2020 (the benchmarks in its README)"),
)
GC_MC = ("Berg 2017", "van den Berg, Kipf and Welling, Graph convolutional matrix completion, 2017")
GLOCAL_K = ("Han 2021", "Han et al., GLocal-K: global and local kernels for recommender systems, 2021")
AUTOREC = ("Sedhain 2015", "Sedhain et al., AutoRec: autoencoders meet collaborative filtering, 2015")
MYFM = ("Ohtsuki", tr("Ohtsuki, myFM, the notebooks in its folder examples"))
RENDLE = ("Rendle 2019", "Rendle, Zhang and Koren, On the difficulty of evaluating baselines, 2019")
LIANG = ("Liang 2018", "Liang et al., Variational autoencoders for collaborative filtering, 2018")
STECK = ("Steck 2019", "Steck, Embarrassingly shallow autoencoders for sparse data, 2019")
SHENBIN = (
    "Shenbin 2020",
    "Shenbin et al., RecVAE: a new variational autoencoder for top-N recommendations with implicit feedback, 2020",
)
KIM = (
    "Kim 2019",
    "Kim and Suh, Enhancing VAEs for collaborative filtering: flexible priors and gating mechanisms, 2019",
)
VANCURA = (
    "Vančura 2021",
    "Vančura and Kordík, Deep variational autoencoder with shallow parallel path for top-N recommendation, 2021",
)
PETROV = (
    "Petrov 2023",
    "Petrov and Macdonald, gSASRec: reducing overconfidence in sequential recommendation trained with negative "
    "sampling, 2023",
)
KLENITSKIY = (
    "Klenitskiy",
    "Klenitskiy and Vasilev, Turning dross into gold loss: is BERT4Rec really better than SASRec?, 2023",
)
MEASURED = ("measured", tr("Measured by the authors of movietui with python -m tests.benchmarks.peers"))


@dataclass(frozen=True)
class PeerFigures:
    """What a source reports of a model on a split."""

    model: str
    """What the source calls the model."""
    dataset: str
    split: str
    """One of ``movietui.data.split_names.NAMES``, or ``kfold5`` for means over its folds."""
    metrics: Mapping[str, float]
    source: tuple[str, str]
    """The first author and the year, and the whole reference."""
    note: str = ""
    """How the protocol differs from ours."""
    task: Task = "rating"


def _lists(recall20: float, recall50: float, ndcg100: float) -> Mapping[str, float]:
    return {"recall@20": recall20, "recall@50": recall50, "ndcg@100": ndcg100}


PEERS = (
    PeerFigures("SVD", "ml-100k", "kfold5", {"rmse": 0.934, "mae": 0.737}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("SVD++", "ml-100k", "kfold5", {"rmse": 0.919, "mae": 0.721}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("NMF", "ml-100k", "kfold5", {"rmse": 0.963, "mae": 0.758}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("KNNBaseline", "ml-100k", "kfold5", {"rmse": 0.931, "mae": 0.733}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("BaselineOnly", "ml-100k", "kfold5", {"rmse": 0.944, "mae": 0.748}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("myFM", "ml-100k", "kfold5", {"rmse": 0.8782}, MEASURED, OF_FIVE_FOLDS),
    PeerFigures("myFM", "ml-100k", "u1", {"rmse": 0.8863}, MEASURED),
    PeerFigures(
        "myFM days",
        "ml-100k",
        "u1",
        {"rmse": 0.8808, "mae": 0.6921},
        MYFM,
        f"{OF_DAYS}; {WITH_FACTS}; {ORDERED_PROBIT}",
    ),
    PeerFigures("GC-MC", "ml-100k", "u1", {"rmse": 0.905}, GC_MC, WITH_FACTS),
    PeerFigures("GLocal-K", "ml-100k", "u1", {"rmse": 0.8889, "mae": 0.6950}, GLOCAL_K, ON_TEST),
    PeerFigures("implicit ALS", "ml-100k", "random80", {"ndcg@10": 0.3799}, MEASURED, OF_SEEDS, "ranking"),
    PeerFigures("LensKit EASE", "ml-100k", "random80", {"ndcg@10": 0.3728}, MEASURED, OF_SEEDS, "ranking"),
    PeerFigures("SVD", "ml-1m", "kfold5", {"rmse": 0.873, "mae": 0.686}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("SVD++", "ml-1m", "kfold5", {"rmse": 0.862, "mae": 0.672}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("KNNBaseline", "ml-1m", "kfold5", {"rmse": 0.895, "mae": 0.706}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("BaselineOnly", "ml-1m", "kfold5", {"rmse": 0.909, "mae": 0.719}, SURPRISE, OF_FIVE_FOLDS),
    PeerFigures("I-AutoRec", "ml-1m", "random90", {"rmse": 0.831}, AUTOREC, ANOTHER_TENTH),
    PeerFigures("U-AutoRec", "ml-1m", "random90", {"rmse": 0.874}, AUTOREC, ANOTHER_TENTH),
    PeerFigures("LLORMA", "ml-1m", "random90", {"rmse": 0.833}, AUTOREC, ANOTHER_TENTH),
    PeerFigures("BiasedMF", "ml-1m", "random90", {"rmse": 0.845}, AUTOREC, ANOTHER_TENTH),
    PeerFigures("GC-MC", "ml-1m", "random90", {"rmse": 0.832}, GC_MC, ANOTHER_TENTH),
    PeerFigures(
        "GLocal-K", "ml-1m", "random90", {"rmse": 0.8227, "mae": 0.6421}, GLOCAL_K, f"{ANOTHER_TENTH}; {ON_TEST}"
    ),
    PeerFigures(
        "myFM days",
        "ml-1m",
        "random90",
        {"rmse": 0.8140},
        MYFM,
        f"{ANOTHER_TENTH}; {OF_DAYS}; {ORDERED_PROBIT}",
    ),
    PeerFigures("implicit ALS", "ml-1m", "random80", {"ndcg@10": 0.3761}, MEASURED, OF_SEEDS, "ranking"),
    PeerFigures("LensKit EASE", "ml-1m", "random80", {"ndcg@10": 0.3737}, MEASURED, OF_SEEDS, "ranking"),
    PeerFigures("gSASRec", "ml-1m", "loo", {"hit@10": 0.300, "ndcg@10": 0.173}, PETROV, OF_FIVE_OR_MORE, "ranking"),
    PeerFigures("SASRec+", "ml-1m", "loo", {"hit@10": 0.315, "ndcg@10": 0.182}, KLENITSKIY, OF_FIVE_OR_MORE, "ranking"),
    PeerFigures("SGD MF", "ml-10m", "random90", {"rmse": 0.7720}, RENDLE, ANOTHER_TENTH),
    PeerFigures("BPMF", "ml-10m", "random90", {"rmse": 0.7633}, RENDLE, ANOTHER_TENTH),
    PeerFigures(
        "SVD++",
        "ml-10m",
        "random90",
        {"rmse": 0.7563},
        RENDLE,
        tr("{difference}; fitted by Gibbs sampling", difference=ANOTHER_TENTH),
    ),
    PeerFigures("Mult-DAE", "ml-20m", "strong", _lists(0.387, 0.524, 0.419), LIANG, task="ranking"),
    PeerFigures("Mult-VAE", "ml-20m", "strong", _lists(0.395, 0.537, 0.426), LIANG, task="ranking"),
    PeerFigures("EASE", "ml-20m", "strong", _lists(0.391, 0.521, 0.420), STECK, task="ranking"),
    PeerFigures("RecVAE", "ml-20m", "strong", _lists(0.414, 0.553, 0.442), SHENBIN, task="ranking"),
    PeerFigures("H+Vamp gated", "ml-20m", "strong", _lists(0.413, 0.551, 0.445), KIM, task="ranking"),
    PeerFigures("VASP", "ml-20m", "strong", _lists(0.414, 0.552, 0.448), VANCURA, task="ranking"),
)
"""The figures, by dataset."""
