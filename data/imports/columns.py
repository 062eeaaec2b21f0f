"""Identifies the columns of a table by name, in English, French, German, Spanish, Italian and Portuguese.

Names are compared without case, accents, spaces and punctuation: ``Année de sortie`` is ``anneedesortie``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product

from movietui.data.titles import title_key

ROLES = ("title", "year", "rating", "date", "marks", "imdb", "tmdb", "note")
"""The roles that a user can assign to a column."""

TITLES = (
    *("title", "movietitle", "filmtitle", "moviename", "filmname", "name", "movie", "film", "titre", "titredufilm"),
    *("titel", "filmtitel", "titulo", "titulodelapelicula", "titolo", "titolodelfilm", "nom", "nome", "nombre"),
    *("pelicula", "filme", "movies", "films", "titles"),
)
ORIGINALS = ("originaltitle", "titreoriginal", "originaltitel", "titulooriginal", "titolooriginale")
YEARS = (
    *("year", "releaseyear", "yearofrelease", "yearreleased", "releasedyear", "movieyear", "filmyear", "yr"),
    *("productionyear", "annee", "anneedesortie", "anneedeproduction", "jahr", "erscheinungsjahr"),
    *("produktionsjahr", "filmjahr", "ano", "anodeestreno", "anodelanzamiento", "anodelancamento", "anno"),
    *("annodiuscita", "releasedate", "released", "release", "datereleased", "premiere", "datedesortie"),
    *("erscheinungsdatum", "fechadeestreno", "fechadelanzamiento", "datadiuscita", "datadelancamento", "datadeestreia"),
)
SEEN_ON = (
    *("watcheddate", "datewatched", "watchedon", "watchedat", "lastwatched", "lastwatchedat", "dateseen", "seenon"),
    *("seendate", "viewdate", "dateviewed", "gesehenam", "gesehen", "datedevisionnage", "vule", "fechavista"),
    *("fechadevisionado", "vistoel", "datavisione", "datadivisione", "vistoil", "vistoem", "dataassistido"),
)
"""Names of columns with the date on which a movie was watched; such a column implies that its movies are seen."""
DATES = (
    *("date", "ratedat", "daterated", "rateddate", "ratedon", "ratingdate", "dateadded", "created", "createdat"),
    *("timestamp", "datum", "bewertetam", "fecha", "data", "datenote", "datedenotation"),
)
MARKS = ("marks",)
KINDS = ("type", "titletype", "mediatype", "itemtype")
"""Names of columns that tell movies from series, also in exports of the libraries of Jellyfin, Kodi and Plex."""
IMDB_IDS = (
    *("imdbid", "imdb", "const", "tconst", "imdburl", "imdblink", "url"),
    *("imdbnumber", "providerids", "externalids", "guids", "guid"),  # libraries of Kodi, Jellyfin and Plex
)
TMDB_IDS = ("tmdbid", "tmdb")
NOTES = ("description", "note", "notes", "comment", "comments")

_RATING = (
    *("rating", "stars", "star", "score", "vote", "grade", "note", "etoiles", "notation"),
    *("bewertung", "wertung", "punkte", "sterne", "valoracion", "puntuacion", "calificacion", "nota", "estrellas"),
    *("voto", "valutazione", "punteggio", "stelle", "avaliacao", "classificacao", "pontuacao", "estrelas"),
)
"""Names of columns with ratings, the plainest first. If several columns do not say whose ratings they have, the first
in this order that contains ratings is read."""
_MINE = (
    *("my", "your", "user", "own", "personal", "ma", "mon", "mes", "votre", "vos", "ta", "ton", "mein", "meine"),
    *("ihre", "deine", "eigene", "personliche", "mi", "tu", "su", "mis", "tus", "mio", "mia", "ilmio", "lamia"),
    *("iltuo", "latua", "miei", "minha", "meu", "minhas", "sua", "seu", "tua"),
)
_MINE_AFTER = ("personnelle", "personal", "personale", "pessoal", "mine", "me", "user")
_MY_RATINGS = frozenset(
    {f"{whose}{word}" for whose, word in product(_MINE, _RATING)}
    | {f"{word}{whose}" for whose, word in product(_MINE_AFTER, _RATING)}
    | {"yourated", "irated", "yourvote", "votedyou", "myvotes"}
)
_TOPS = frozenset({4, 5, 6, 10, 20, 100})
"""The highest ratings of scales that the name of a column may end with: ``Rating (1-10)``, ``Note sur 20``."""
_BEFORE_A_TOP = frozenset({"out", "of", "sur", "von", "auf", "su", "da", "de", "di", "max"})
_PARTS = re.compile(r"[^\W\d_]+|\d+")


@lru_cache(1024)
def key_of(name: str) -> str:
    """Return the key by which the names of columns are compared.

    >>> key_of("Letterboxd URI"), key_of("release_year"), key_of("Année")
    ('letterboxduri', 'releaseyear', 'annee')
    """
    return title_key(name).replace(" ", "")


def keys_of(header: Sequence[str]) -> list[str]:
    """Return the key of each name in a header."""
    return [key_of(name) for name in header]


def first(keys: Sequence[str], *names: str) -> int:
    """Return the index of the first of the names that is among the keys, or -1 if none is."""
    return next((keys.index(name) for name in names if name in keys), -1)


def ratings(header: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Return groups of columns that may have the user's ratings.

    Each column is given as its index and the highest rating that its name states, or 0 if the name states none. Only
    the first group that contains ratings should be read; in each row, the first rating of the group counts. If a name
    says that the ratings are the user's ("my rating", "your rating", "user score"), a plain ``rating`` beside it is an
    average and is left out.
    """
    mine: list[tuple[int, int]] = []
    plainly: dict[str, list[tuple[int, int]]] = {}
    for index, name in enumerate(header):
        word, top = _without_scale(name)
        if word in _MY_RATINGS:
            mine.append((index, top))
        elif word in _RATING:
            plainly.setdefault(word, []).append((index, top))
    if mine:
        return [mine]
    return [sorted(plainly[word], key=lambda each: not each[1]) for word in _RATING if word in plainly]


def _without_scale(name: str) -> tuple[str, int]:
    """Return the key of a column's name without the scale at its end, and the highest rating of that scale, or 0."""
    parts = _PARTS.findall(title_key(name))
    words = [part for part in parts if not part.isdigit()]
    numbers = [int(part) for part in parts if part.isdigit() and len(part) < 4]
    if not numbers or numbers[-1] not in _TOPS or not parts[-1].isdigit():
        return "".join(parts), 0
    while len(words) > 1 and words[-1] in _BEFORE_A_TOP:
        words.pop()
    return "".join(words), numbers[-1]


def chosen(header: Sequence[str], choices: Mapping[str, str]) -> dict[str, int]:
    """Return the indices of the columns that the user chose, by role; columns that the table lacks are left out."""
    keys = keys_of(header)
    return {role: keys.index(key_of(name)) for role, name in choices.items() if key_of(name) in keys}
