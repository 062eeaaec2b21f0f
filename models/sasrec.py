"""Self-attention over the movies that a viewer watched, in order, to predict which movie comes next."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.models.base import Fitted, History, Parameters, Progress, Times
from movietui.models.rankers import RankingModel, Rows
from movietui.models.settings import Settings, setting

EPSILON = 1e-5
"""Added to a variance before the square root."""
GAPS = 34
"""The number of kinds of gaps between two movies: see ``gaps_of``."""
SEQUENCES_AT_ONCE = 32
"""How many sequences without one movie each are processed at once to explain a list."""
TABLES = 4
"""The tables of movies by factors in training: the embeddings, their gradient, and two that Adam keeps."""
WEIGHTS = 3
"""The tables of attention weights of a block that training keeps for the gradient."""


@dataclass(frozen=True)
class SasRecSettings(Settings):
    """Settings of ``SasRec``.

    The defaults are those of the published models, as far as they have them. The number of epochs was chosen on each
    user's newest rating in the train part of ``loo`` of ml-100k, where hit@10, with all ratings relevant, is 0.228
    after 8 epochs and 0.220 after 2. If the embeddings begin at random instead of with movies that are watched
    together, it is 0.182 after 4 epochs instead of 0.227. These figures are without
    the times between movies, with which the cross-entropy there falls from 5.541 to 5.529.
    """

    length: int = setting(200, 1, 1000)
    """How many of the viewer's latest movies the model looks at."""
    factors: int = setting(64, 1, 512)
    """The size of an embedding and of the layers."""
    blocks: int = setting(2, 1, 8)
    """The number of blocks, each with an attention layer and a dense layer."""
    heads: int = setting(2, 1, 16)
    """The number of attention heads of a block."""
    dropout: float = setting(0.2, 0.0, 0.9)
    """The dropout rate of the embeddings and of the layers (Srivastava et al. 2014)."""
    epochs: int = setting(8, 1, 500)
    """The number of passes over all users."""
    batch: int = setting(2048, 1, 65536)
    """The largest number of ratings in a batch; a small dataset has smaller batches, so that there are at least 50 of
    them."""
    rate: float = setting(0.002, 0.000001, 1.0)
    """The learning rate of Adam (Kingma and Ba 2015), which falls gradually to zero."""
    movies: int = setting(8000, 1, 100_000)
    """How many movies are learned, the most rated ones. The time of an epoch grows with this number."""


class SasRec(RankingModel[SasRecSettings]):
    """Scores each movie by how likely the viewer is to watch it next: ``s_i = log(1 + n p_i)`` with ``n`` movies and
    ``p = softmax(Q h + b)``.

    Kang and McAuley, Self-attentive sequential recommendation (2018): the viewer's movies, oldest first, become their
    embeddings, rows of ``Q``. Each block adds to each of these vectors what its attention layer makes of it and of the
    earlier ones, and then what its dense layers make of the sum. ``h`` is the last of the normalised results, from
    which the next movie is predicted. Training minimises the cross-entropy of the next movie at each position, over
    all learned movies instead of sampled ones (Klenitskiy and Vasilev, Turning dross into gold loss: is BERT4Rec really
    better than SASRec?, 2023).

    This model differs in four ways. A vector for the time since the movie before (``gaps_of``) is added to each movie's
    embedding: movies from one page are rated within seconds of each other. It does not embed positions; instead, each
    head of a block adds to its attention a number that depends on how many movies ago a movie was (Shaw et al.,
    Self-attention with relative position representations, 2018; with a scalar for each head as in Raffel et al.,
    Exploring the limits of transfer learning, 2020), so that what it learns in the middle of a sequence holds at the
    end. Each movie has a bias ``b_i``. And the embeddings begin with those of movies that are watched together
    (``Sequences.embedding`` in ``movietui.models.training.sasrec``), which saves most of the epochs.

    The model reads which movies were rated and when, but not their stars. Ratings whose time is not known come first,
    and in the order of the history. A viewer without ratings has the mean scores of the users.

    Some users, the sample, are left out of training. Their scores for the movies that they rated, each from their
    earlier movies, are like those of new viewers and determine the slope.

    Only the most rated movies are learned, as many as the setting ``movies`` says. All others score 0, which is the
    lowest score, and are skipped in a history.
    """

    name = "sasrec"
    summary = tr("Learns which movie people watch next, from the order in which they rated movies; made for lists.")
    formula = "log(1 + n softmax(Q h + b))"
    reference = "Kang and McAuley 2018; Klenitskiy and Vasilev 2023"
    settings_type = SasRecSettings
    needs_torch = True
    on_device = True

    def memory_needed(self, train: Dataset) -> int:
        """Return the size of the tables of movies by factors and of the attention weights of a batch, in float32."""
        settings = self.settings
        tables = TABLES * min(settings.movies, len(train.movies)) * settings.factors
        ratings = min(settings.batch, len(train.ratings))
        return 4 * (tables + WEIGHTS * settings.blocks * settings.heads * ratings * settings.length)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.sasrec import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the users' ratings and of their times."""
        return super().only_for_predict() | {"rated_at"}

    def _history_of(self, user: int) -> History:
        history = super()._history_of(user)
        start = self.of_train("starts")[user]
        return replace(history, time=self.of_train("rated_at")[start : start + len(history)])

    def movie_vectors(self) -> Floats:
        """Return the movies' embeddings; 0 for movies that are not learned."""
        column = self.parameters["column"][:-1]
        vectors = self.parameters["embedding"][column]
        vectors[column < 0] = 0
        return vectors

    def scores(self, rows: Ints, time: Times) -> Floats:
        """Return the scores of all movies, and 0 for the unknown movie, after sequences of the same length.

        ``rows``: those of movies among the embeddings, oldest first, shape (sequences, length); ``time``: of their
        ratings. Returns shape (sequences, movies + 1).
        """
        return self.scores_after(states(self.parameters, rows, gaps_of(time), last=True))

    def scores_after(self, state: Floats) -> Floats:
        """Return the scores of all movies, shape (…, movies + 1), for states, shape (…, factors)."""
        parameters = self.parameters
        column = parameters["column"]
        learned = column >= 0
        logits = state @ parameters["embedding"].T + parameters["bias"]
        share = np.exp(logits - logits.max(-1, keepdims=True, initial=-np.inf))
        share *= logits.shape[-1] / share.sum(-1, keepdims=True)
        scores = np.zeros((*state.shape[:-1], len(column)), np.float32)
        scores[..., learned] = np.log1p(share)[..., column[learned]]
        return scores

    def sequence(self, history: History) -> tuple[Ints, Times, NDArray[np.intp]]:
        """Return the rows of the viewer's learned movies among the embeddings, oldest first, the times of their
        ratings, and their indices in the history."""
        time = np.zeros(len(history), np.int64) if history.time is None else history.time
        order = np.argsort(time, kind="stable")
        rows = self.parameters["column"][history.movies[order]]
        order = order[rows >= 0]
        return rows[rows >= 0], time[order], order

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        rows, time, _ = self.sequence(history)
        last = slice(-self.settings.length, None)
        score = self.scores(rows[None, last], time[None, last])[0] if len(rows) else self.parameters["mean"]
        return score[movies], float(score @ self.parameters["usual"])

    def _shares(self, history: History, movies: Ints) -> Floats:
        """Leave out each of the last movies in turn; earlier ones contribute nothing."""
        shares = np.zeros((len(movies), len(history)), np.float32)
        rows, time, indices = self.sequence(history)
        places, length = np.arange(len(rows)), self.settings.length
        last = places[-length:]
        whole = self._score(history, movies)[0]
        for start in range(0, len(last), SEQUENCES_AT_ONCE):
            left_out = last[start : start + SEQUENCES_AT_ONCE]
            others = np.stack([np.delete(places, index)[-length:] for index in left_out])
            without = self.scores(rows[others], time[others]) if others.shape[1] else self.parameters["mean"][None]
            shares[:, indices[left_out]] = (whole - without[:, movies]).T
        return shares


def gaps_of(time: Times) -> NDArray[np.int64]:
    """Return how long before each movie of sequences the one before it was rated: 1 plus the logarithm to base 2 of
    1 plus the seconds, rounded down; 0 if there is none before it, or its time is not known.

    ``time``: of the ratings, in order, shape (…, length); 0 if it is not known.
    """
    seconds = np.diff(time, axis=-1)
    gaps = np.zeros(time.shape, np.int64)
    gaps[..., 1:] = np.where(time[..., :-1] > 0, np.log2(seconds + 1).astype(np.int64) + 1, 0)
    return gaps.clip(0, GAPS - 1)


def states(parameters: Parameters, rows: Ints, gaps: NDArray[np.int64], *, last: bool = False) -> Floats:
    """Return the normalised result of the last block for each movie of sequences of the same length.

    ``rows``: those of movies among the embeddings, oldest first, shape (…, length), with a length from 1 to that of the
    settings; ``gaps``: see ``gaps_of``. Returns shape (…, length, factors) or, with ``last``, only those for the last
    movie, shape (…, factors).
    """
    x = parameters["embedding"][rows] + parameters["gap"][gaps]
    distance = parameters["distance"]
    blocks, heads, _ = distance.shape
    length = rows.shape[-1]
    behind = np.subtract.outer(np.arange(length), np.arange(length))
    for block in range(blocks):
        # For the last movie alone, the last block needs the others only as what the attention looks at.
        asking = slice(-1, None) if last and block == blocks - 1 else slice(None)
        near = np.where(behind[asking] < 0, -np.inf, distance[block][:, behind[asking].clip(0)]).astype(np.float32)
        inputs = normalised(x, parameters["attention_norm"][block])
        query, key, value = (_heads(part, heads) for part in np.split(inputs @ parameters["attention"][block], 3, -1))
        scale = np.float32(query.shape[-1] ** -0.5)
        weights = query[..., asking, :] @ (np.swapaxes(key, -1, -2) * scale) + near
        weights = np.exp(weights - weights.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        attended = np.swapaxes(weights @ value, -2, -3)
        x = x[..., asking, :] + attended.reshape(*attended.shape[:-2], -1) @ parameters["attended"][block]
        inputs = normalised(x, parameters["dense_norm"][block])
        hidden = np.maximum(inputs @ parameters["hidden"][block] + parameters["hidden_bias"][block], 0)
        x = x + hidden @ parameters["output"][block] + parameters["output_bias"][block]
    result = normalised(x, parameters["last_norm"])
    return result[..., 0, :] if last else result


def normalised(x: Floats, norm: Floats) -> Floats:
    """Return vectors with mean 0 and variance 1, times a scale, plus a shift (Ba, Kiros and Hinton, Layer
    normalization, 2016).

    ``x``: shape (…, factors). ``norm``: the scale and the shift, shape (2, factors).
    """
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(EPSILON))
    return np.asarray(centred / deviation * norm[0] + norm[1], np.float32)


def _heads(x: Floats, heads: int) -> Floats:
    """Return vectors, shape (…, length, heads * size), by head, shape (…, heads, length, size)."""
    return np.swapaxes(x.reshape(*x.shape[:-1], heads, -1), -2, -3)
