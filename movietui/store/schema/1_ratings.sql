-- Version 1 of the store; the scripts that SCRIPTS in store.py names bring it to the present one.

CREATE TABLE viewers (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('profile', 'user')),
    dataset TEXT NOT NULL DEFAULT '',       -- whose user; '' for a profile
    name TEXT NOT NULL,                     -- of a profile, or the user's id in the dataset
    created TEXT NOT NULL,
    UNIQUE (kind, dataset, name)
);

-- A film is named by its key, which is the same in every dataset; title and year are kept for people and for export.
CREATE TABLE ratings (
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,                  -- 0 where unknown
    stars REAL NOT NULL CHECK (stars BETWEEN 0.5 AND 5),
    rated_at TEXT NOT NULL,
    PRIMARY KEY (viewer, film)
) WITHOUT ROWID;

-- Every change of a rating, so that it can be undone; NULL stands for no rating.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    film TEXT NOT NULL,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    stars_before REAL,
    rated_before TEXT,                      -- when the rating before was given
    stars_after REAL,
    at TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0       -- 0 while it stands, else the greater the later it was taken back
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
    process INTEGER NOT NULL,               -- that trains; a run whose process is gone was cut off
    checkpoint TEXT NOT NULL UNIQUE,        -- the name of its folder, which no other run ever had
    started TEXT NOT NULL,
    seconds REAL,
    curve TEXT NOT NULL DEFAULT '[]',       -- JSON list of epochs
    best_epoch INTEGER,
    metrics TEXT NOT NULL DEFAULT '{}',     -- JSON object
    problem TEXT NOT NULL DEFAULT ''
);

-- What the person chose: theme, dataset, the run that serves each dataset.
CREATE TABLE choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
