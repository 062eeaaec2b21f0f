-- Version 3. A change adds a step to MIGRATIONS in store.py; this file is what a new store starts with.

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
    place INTEGER NOT NULL DEFAULT 0,       -- the id of the change that gave it: ratings are listed in this order
    PRIMARY KEY (viewer, film)
) WITHOUT ROWID;

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
