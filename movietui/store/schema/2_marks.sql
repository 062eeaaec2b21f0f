-- From version 1 to 2: marks and imports, and an order of ratings that does not depend on a clock.

-- place: the id of the change that set the value. It says in which order ratings and marks were given.
ALTER TABLE ratings ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

CREATE TABLE marks (
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    film TEXT NOT NULL,
    mark TEXT NOT NULL CHECK (mark IN ('watchlist', 'hidden', 'seen', 'liked')),
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    marked_at TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (viewer, film, mark)
) WITHOUT ROWID;

-- Something that a person did, and can undo as a whole: a rating, a mark, an import.
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    kind TEXT NOT NULL,                     -- 'rating', a mark or 'import'
    note TEXT NOT NULL DEFAULT '',          -- the source of an import
    at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0       -- 0 if not undone; otherwise, the later it was undone, the greater
);

CREATE INDEX steps_by_viewer ON steps (viewer, id);

-- What a step changed; NULL means no rating or mark.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES steps ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- 'rating' or a mark
    before REAL,                            -- stars; 1 for a mark
    given_before TEXT,                      -- when the previous value was given
    place_before INTEGER,                   -- the place of the previous value
    after REAL,
    given_after TEXT NOT NULL
);

CREATE INDEX changes_by_step ON changes (step, id);

-- Other keys of a movie whose title or year differs between sources. Each pair has two rows, one in each direction.
CREATE TABLE aliases (
    film TEXT NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (film, alias)
) WITHOUT ROWID;

-- The ids of movies.
CREATE TABLE films (
    film TEXT PRIMARY KEY,
    imdb TEXT NOT NULL,                     -- 'tt0116282' or ''
    tmdb INTEGER NOT NULL,                  -- 0 if unknown
    movielens INTEGER NOT NULL
) WITHOUT ROWID;

-- Which movie an imported title is, as chosen by hand.
CREATE TABLE settled (
    own TEXT PRIMARY KEY,                   -- the key of the imported title and year
    film TEXT NOT NULL                      -- '' if the movie is in no dataset
) WITHOUT ROWID;

INSERT INTO steps (id, viewer, kind, at, undone) SELECT id, viewer, 'rating', at, undone FROM log;

-- Changes keep the ids of the log. The value that a change replaced was given by the previous change of the movie.
INSERT INTO changes
    SELECT id, id, film, title, year, 'rating', stars_before, rated_before,
        (SELECT max(id) FROM log AS older
            WHERE older.viewer = log.viewer AND older.film = log.film AND older.id < log.id),
        stars_after, at
    FROM log;

DROP TABLE log;

UPDATE ratings SET place = coalesce(
    (SELECT max(changes.id) FROM changes JOIN steps ON steps.id = changes.step
        WHERE steps.viewer = ratings.viewer AND changes.film = ratings.film AND undone = 0),
    0
);
