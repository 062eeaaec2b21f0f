-- Version 1 of the store. The other scripts of SCHEMA in store/database.py migrate it to the current version.

CREATE TABLE viewers (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('profile', 'user')),
    dataset TEXT NOT NULL DEFAULT '',       -- the dataset of a user; '' for a profile
    name TEXT NOT NULL,                     -- the name of a profile, or the id of a user in the dataset
    created TEXT NOT NULL,
    UNIQUE (kind, dataset, name)
);

-- film: the key of a movie, made from its title and year. These are stored too, so that they can be shown and exported.
CREATE TABLE ratings (
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,                  -- 0 if unknown
    stars REAL NOT NULL CHECK (stars BETWEEN 0.5 AND 5),
    rated_at TEXT NOT NULL,
    PRIMARY KEY (viewer, film)
) WITHOUT ROWID;

-- Every change of a rating, so that it can be undone; NULL means no rating.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    stars_before REAL,
    rated_before TEXT,                      -- when the previous rating was given
    stars_after REAL,
    at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0       -- 0 if not undone; otherwise, the later it was undone, the greater
);

CREATE INDEX log_by_viewer ON log (viewer, id);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    dataset TEXT NOT NULL,
    cleaning TEXT NOT NULL,
    split TEXT NOT NULL,
    seed INTEGER NOT NULL,
    settings TEXT NOT NULL,                 -- JSON object
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
    process INTEGER NOT NULL,               -- the process that trains; if it has ended, the run was cut off
    checkpoint TEXT NOT NULL UNIQUE,        -- the name of its folder, never used by another run
    started TEXT NOT NULL,
    seconds REAL,
    curve TEXT NOT NULL DEFAULT '[]',       -- JSON list of epochs
    best_epoch INTEGER,
    metrics TEXT NOT NULL DEFAULT '{}',     -- JSON object
    problem TEXT NOT NULL DEFAULT ''
);

-- What a person chose: the theme, the dataset, the run that serves each dataset.
CREATE TABLE choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
