-- Version 2. A change adds a step to MIGRATIONS in store.py; this file is what a new store starts with.

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
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the number of a run that was deleted is never given again
    name TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL,
    dataset TEXT NOT NULL,
    cleaning TEXT NOT NULL,
    split TEXT NOT NULL,
    seed INTEGER NOT NULL,
    settings TEXT NOT NULL,                 -- JSON object
    device TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'done', 'cancelled', 'failed', 'cut off')),
    process INTEGER NOT NULL,               -- that trains, or whose queue it waits in
    began TEXT NOT NULL DEFAULT '',         -- when that process began: numbers of processes come again
    checkpoint TEXT NOT NULL UNIQUE,        -- the name of its folder, which no other run ever had
    started TEXT NOT NULL,
    seconds REAL,                           -- of training, pauses not counted
    peak_bytes INTEGER,                     -- of memory
    progress TEXT NOT NULL DEFAULT '{}',    -- JSON object: phase, epoch, of, left
    curve TEXT NOT NULL DEFAULT '[]',       -- JSON list of epochs
    best_epoch INTEGER,
    metrics TEXT NOT NULL DEFAULT '{}',     -- JSON object
    problem TEXT NOT NULL DEFAULT '',
    request TEXT NOT NULL DEFAULT '{}',     -- JSON object: what a run of the queue is started with
    place INTEGER                           -- in the queue, the least goes first; NULL for a run that does not wait
);

-- What was measured of a run beside its metrics.
CREATE TABLE measured (
    run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    rows TEXT NOT NULL,                     -- a fingerprint of the test rows
    by_user BLOB NOT NULL,                  -- sums by user, safetensors
    detail TEXT NOT NULL                    -- JSON object: subgroups, calibration, confusion
);

-- The newest change of each run, also of one that was deleted: who remembers an id reads only what came after.
CREATE TABLE run_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL UNIQUE ON CONFLICT REPLACE
);

CREATE TRIGGER run_added AFTER INSERT ON runs BEGIN
    INSERT INTO run_changes (run) VALUES (new.id);
END;

CREATE TRIGGER run_changed AFTER UPDATE ON runs BEGIN
    INSERT INTO run_changes (run) VALUES (new.id);
END;

CREATE TRIGGER run_deleted AFTER DELETE ON runs BEGIN
    INSERT INTO run_changes (run) VALUES (old.id);
END;

-- What the person chose: theme, dataset, the run that serves each dataset.
CREATE TABLE choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
