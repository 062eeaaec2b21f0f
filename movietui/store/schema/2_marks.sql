-- From version 1 to 2: marks and imports beside ratings, and an order of ratings that no clock has a say in.

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

-- What a person did at once and undoes at once: a rating, a mark, an import.
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    kind TEXT NOT NULL,                     -- 'rating', a mark or 'import'
    note TEXT NOT NULL DEFAULT '',          -- where an import came from
    at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0       -- 0 while it stands, else the greater the later it was taken back
);

CREATE INDEX steps_by_viewer ON steps (viewer, id);

-- What a step changed; NULL stands for no rating and no mark.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES steps ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- 'rating' or a mark
    before REAL,                            -- stars; 1 for a mark
    given_before TEXT,                      -- when what was before was given
    place_before INTEGER,                   -- and its place
    after REAL,
    given_after TEXT NOT NULL
);

CREATE INDEX changes_by_step ON changes (step, id);

-- Keys of one film: datasets and services differ in its title or year. Each pair is there both ways round.
CREATE TABLE aliases (
    film TEXT NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (film, alias)
) WITHOUT ROWID;

-- What imports said about films.
CREATE TABLE films (
    film TEXT PRIMARY KEY,
    imdb TEXT NOT NULL,                     -- 'tt0116282' or ''
    tmdb INTEGER NOT NULL,                  -- 0 where unknown
    movielens INTEGER NOT NULL
) WITHOUT ROWID;

-- Which film a title of an import is, where the person said so.
CREATE TABLE settled (
    own TEXT PRIMARY KEY,                   -- the key of title and year as imported
    film TEXT NOT NULL                      -- '' for none that a dataset has
) WITHOUT ROWID;

INSERT INTO steps (id, viewer, kind, at, undone) SELECT id, viewer, 'rating', at, undone FROM log;

-- A change of the log kept its id: the one before it on the same film is the one that gave what it replaced.
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
