"""The dataset and model that the engine has open. Returns movies, users and ratings as messages."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import cast

import numpy as np

from movietui.answers.lists import rows_of, viewer, with_users
from movietui.data.dataset import Dataset
from movietui.data.imdb.origins import COUNTRIES, LANGUAGES
from movietui.data.imports.matching import Matcher
from movietui.data.language import tr
from movietui.data.movielens.release import HALF_STARS
from movietui.data.problems import Problem
from movietui.data.query.search import Search
from movietui.data.storage.remote_view import RemoteView, UnknownUser
from movietui.models.base import history_of
from movietui.models.serving.explanations import Reason, explain
from movietui.models.serving.interview import Answers, Interview
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.protocol.messages import (
    Crowd,
    Details,
    FoundMovie,
    GivenRating,
    InterviewAnswers,
    InterviewMovie,
    NamedMovie,
    Question,
    SearchedMovie,
    SimilarMovie,
    Standing,
    UserRow,
    ViewerDetails,
    ViewerRatings,
    Why,
)

MOST_STEPS = 10
"""A scale with more steps than this is shown in half stars."""
SHOWN_TAGS = 6
"""The maximum number of tags in the details of a movie."""


def viewers_of(ranker: Ranker, viewers: Sequence[ViewerRatings]) -> list[Viewer]:
    """Return viewers as the model sees them.

    If the dataset is on a cluster, the ratings of viewers who are its users are read now, and stay in the ranker's
    dataset. Raises ``Problem`` if these ratings cannot be read.
    """
    ranker.dataset = with_users(ranker.dataset, [each["id"] for each in viewers if each["kind"] == "user"])
    return [viewer(ranker.dataset, each) for each in viewers]


class OpenDataset:
    """A dataset with the ranker that serves it. Indexes of the dataset are built when they are first needed."""

    def __init__(self, ranker: Ranker) -> None:
        self.ranker = ranker

    @property
    def dataset(self) -> Dataset:
        """The dataset. One on a cluster is replaced whenever further users are read; its movies stay the same."""
        return self.ranker.dataset

    @property
    def elsewhere(self) -> RemoteView | None:
        """The dataset if its ratings are on a cluster, else ``None``."""
        return self.dataset if isinstance(self.dataset, RemoteView) else None

    @cached_property
    def matcher(self) -> Matcher:
        """Finds movies of the dataset by title and ids."""
        return Matcher(self.dataset)

    @cached_property
    def search(self) -> Search:
        """Finds movies, people, tags and users by words. Users on a cluster are not found by words."""
        return Search(self.elsewhere.sample if self.elsewhere else self.dataset)

    @cached_property
    def _interview(self) -> Interview:
        if self.elsewhere:
            raise Problem(
                tr(
                    "An interview needs the ratings of many users of {dataset}, which are on a cluster; "
                    "rate movies of the list, or search for those that you know.",
                    dataset=self.dataset.name,
                )
            )
        return Interview(self.dataset)

    @cached_property
    def _ratings_by_user(self) -> list[int]:
        """The number of ratings of each user."""
        counts: list[int] = self.dataset.ratings.by_user(len(self.dataset.users)).tolist()
        return counts

    def viewers(self, viewers: Sequence[ViewerRatings]) -> list[Viewer]:
        """Return viewers as the model sees them."""
        return viewers_of(self.ranker, viewers)

    def viewer(self, ratings: ViewerRatings) -> Viewer:
        """Return a viewer as the model sees them."""
        return self.viewers([ratings])[0]

    # Movies

    def _row(self, movie: str) -> int:
        row = self.dataset.movies.row.get(movie)
        if row is None:
            raise Problem(tr("{dataset} has no movie {movie}.", dataset=self.dataset.name, movie=movie))
        return row

    def named_movie(self, row: int) -> NamedMovie:
        """Return the fields that identify the movie of a row."""
        movies = self.dataset.movies
        return {
            "id": movies.ids[row],
            "key": movies.keys[row],
            "title": movies.titles[row],
            "year": int(movies.years[row]),
        }

    def found_movie(self, row: int) -> FoundMovie:
        """Return the movie of a row, as a search shows it."""
        return {**self.named_movie(row), "count": int(self.dataset.counts[row])}

    def searched_movies(self, rows: Sequence[int], users: Sequence[str]) -> list[SearchedMovie]:
        """Return the movies in these rows, each with the stars that ``users`` gave it in the dataset; 0 for no rating.

        ``users`` has, for each viewer, the id of a user of the dataset, or an empty string for a profile.
        """
        known = [self.dataset.users.row.get(each) for each in users]
        stars = [{} if row is None else self._stars_of(row) for row in known]
        return [
            {**self.found_movie(row), "rated": [by.get(row, 0.0) for by in stars], "marked": [""] * len(users)}
            for row in rows
        ]

    def _stars_of(self, user: int) -> dict[int, float]:
        history = history_of(self.dataset, user)
        return dict(zip(history.movies.tolist(), history.stars.tolist(), strict=True))

    def similar_movies(self, movie: str, limit: int, hidden: Sequence[str], users: Sequence[str]) -> list[SimilarMovie]:
        """Return the movies most similar to a movie, without those whose keys are ``hidden``.

        ``users``: as in ``searched_movies``.
        """
        hidden_rows = set(rows_of(self.dataset, hidden))
        # Without the ratings, the model's vectors say which movies the same people like.
        vectors = self.ranker.model.movie_vectors() if self.elsewhere else None
        nearest = self.ranker.similarities.nearest(self._row(movie), limit + len(hidden_rows), vectors)
        near = [each for each in nearest if each.movie not in hidden_rows][:limit]
        return [
            {
                **searched,
                "similarity": each.similarity,
                "common": None if self.elsewhere else each.common,
                "shared": each.shared.names(),
            }
            for searched, each in zip(self.searched_movies([each.movie for each in near], users), near, strict=True)
        ]

    def details(self, movies: Sequence[str], viewers: Sequence[ViewerRatings]) -> list[Details]:
        """Return everything known about movies, with the reasons for each viewer."""
        rows, people = [self._row(movie) for movie in movies], self.viewers(viewers)
        return [self._details(row, people) for row in rows]

    def _details(self, row: int, viewers: Sequence[Viewer]) -> Details:
        movies = self.dataset.movies
        facts = (movies.imdb.of(row) if movies.imdb else None) or {}
        return {
            **self.named_movie(row),
            "ids": self.matcher.links.of(row),
            "genres": movies.genres_of(row),
            "minutes": facts.get("minutes") or 0,
            "directors": facts.get("directors", []),
            "cast": facts.get("cast", []),
            "languages": [LANGUAGES.get(code, code) for code in facts.get("languages", [])],
            "countries": [COUNTRIES.get(code, code) for code in facts.get("countries", [])],
            "tags": movies.tags_of(row)[:SHOWN_TAGS],
            "imdb": facts.get("rating") or 0.0,
            "link": self.matcher.links.imdb[row],
            "count": int(self.dataset.counts[row]),
            "mean": self.dataset.mean_of(row) or 0.0,
            "histogram": self._histogram_of(row),
            "by": [self._for_viewer(person, row) for person in viewers],
        }

    def _histogram_of(self, row: int) -> list[int]:
        """Return how many ratings a movie has, as in ``Details.histogram``."""
        scale, given = self.dataset.scale, self.dataset.histogram.of(row)
        if self.dataset.implicit:
            return []
        if not scale.step or (scale.high - scale.low) / scale.step > MOST_STEPS:
            scale = HALF_STARS
        bars = [0] * (round((scale.high - scale.low) / scale.step) + 1)
        for stars, number in given.items():
            bars[min(max(round((stars - scale.low) / scale.step), 0), len(bars) - 1)] += number
        return bars

    def _for_viewer(self, person: Viewer, row: int) -> ViewerDetails:
        predicted = self.ranker.expect(person.history)
        explanation = explain(self.ranker.model, self.ranker.similarities, person.history, predicted, row)
        crowd, standing = explanation.reasons.crowd, explanation.reasons.standing
        return {
            "stars": explanation.stars,
            "low": explanation.low,
            "high": explanation.high,
            "rated": explanation.rated,
            "basis": explanation.reasons.basis,
            "why": [self._why(reason) for reason in explanation.reasons.liked],
            "alike": [self._why(reason) for reason in explanation.reasons.alike],
            "similar": [self._why(reason) for reason in explanation.reasons.similar],
            "examples": [self._why(reason) for reason in explanation.reasons.examples],
            "crowd": cast("Crowd | None", crowd and asdict(crowd)),
            "standing": cast("Standing | None", standing and asdict(standing)),
            "against": [self._why(reason) for reason in explanation.reasons.against],
            "shared": explanation.shared.names(),
        }

    def _why(self, reason: Reason) -> Why:
        movies = self.dataset.movies
        return {
            "title": movies.titles[reason.movie],
            "year": int(movies.years[reason.movie]),
            "stars": reason.stars,
            "weight": reason.weight,
            "shared": {
                "genres": list(reason.shared.genres),
                "directors": list(reason.shared.directors),
                "actors": list(reason.shared.actors),
                "tags": list(reason.shared.tags),
            },
        }

    # Ratings

    def given_ratings(self, ratings: ViewerRatings) -> list[GivenRating]:
        """Return the movies that a viewer rated, each with the stars that the model predicts for it now."""
        person = self.viewer(ratings)
        predicted = self.ranker.expect(person.history).stars
        links, times = self.matcher.links, self._times_of(person)
        given: dict[str, GivenRating] = {}
        for row, stars in zip(person.history.movies.tolist(), person.history.stars.tolist(), strict=True):
            movie = self.named_movie(row)
            given.setdefault(  # several movies of the dataset may share a key, and a stored rating counts for all
                movie["key"],
                {
                    **movie,
                    "ids": links.of(row),
                    "stars": stars,
                    "predicted": float(predicted[row]),
                    "at": times.get(row, ""),
                    "stored": False,
                },
            )
        return list(given.values())

    def _times_of(self, person: Viewer) -> dict[int, str]:
        """Return when a user of the dataset rated each movie, if known, by the movie's row; empty for a profile."""
        if person.history.user is None:
            return {}
        given = self.dataset.ratings_of(person.history.user)
        return {
            movie: datetime.fromtimestamp(time, UTC).isoformat()
            for movie, time in zip(given.movie.tolist(), given.time.tolist(), strict=True)
            if time > 0
        }

    # Interviews

    def next_question(self, ratings: ViewerRatings, answers: InterviewAnswers, card: bool) -> Question:
        """Return what to ask a viewer next; see ``Requests.next_question``."""
        interview, person, names = self._interview, self.viewer(ratings), self.dataset.movies.genre_names
        unchosen = {
            row: movie["liking"] for movie in answers["unchosen"] for row in rows_of(self.dataset, [movie["key"]])
        }
        so_far = Answers(
            person.history,
            np.asarray(rows_of(self.dataset, answers["unseen"]), np.int32),
            unchosen,
            np.asarray(person.hidden, np.int32),
            {names.index(name): int(np.sign(sign)) for name, sign in answers["genres"].items() if name in names},
        )
        above = {row: movie["above"] for movie in answers["unchosen"] for row in rows_of(self.dataset, [movie["key"]])}
        person = replace(person, held={**person.held, **above})
        asked = interview.next_card(so_far) if card else []
        is_card = bool(asked)
        asked = asked or interview.next_list(so_far)
        movies = [self._interview_movie(row) for row in asked]
        likings = interview.liking(so_far, np.asarray(asked, np.int32)) if is_card else []
        numbers_above = self.ranker.movies_above(person, asked) if is_card else []
        return {
            "movies": movies,
            "if_unchosen": [
                {"key": movie["key"], "liking": liking, "above": number}
                for movie, liking, number in zip(movies if is_card else [], likings, numbers_above, strict=True)
            ],
            "rated": len(person.history),
            "known": interview.known(so_far),
        }

    def _interview_movie(self, row: int) -> InterviewMovie:
        movies = self.dataset.movies
        return {
            **self.named_movie(row),
            "ids": self.matcher.links.of(row),
            "genres": movies.genres_of(row),
            "directors": list(movies.imdb.directors[row]) if movies.imdb else [],
        }

    # Users

    def find_users(self, typed: str, offset: int, limit: int) -> tuple[int, list[UserRow]]:
        """Return how many users match a text, see ``Search.users``, and some of them, from ``offset`` on.

        Of the users on a cluster, only one matches: the one with this id or, if the text is empty, the first. Raises
        ``Problem`` if the users on the cluster cannot be read.
        """
        if not self.elsewhere:
            rows = self.search.users(typed)
            return len(rows), [self.user(row) for row in rows[offset : offset + limit]]
        wanted = typed.strip() or self.elsewhere.first_user()
        try:
            self.ranker.dataset = known = self.elsewhere.read_users([wanted])
        except UnknownUser:
            return 0, []
        ratings = len(known.rows_of(known.users.row[wanted]))
        matching: list[UserRow] = [{"id": wanted, "age": 0, "gender": "", "occupation": "", "ratings": ratings}]
        return 1, matching[offset : offset + limit]

    def user(self, row: int) -> UserRow:
        """Return the user of a row."""
        users = self.dataset.users
        return {
            "id": users.ids[row],
            "age": int(users.age[row]) if len(users.age) else 0,
            "gender": users.gender[row] if users.gender else "",
            "occupation": users.occupation[row] if users.occupation else "",
            "ratings": self._ratings_by_user[row],
        }
