-- From version 2 to 3: runs can be queued, paused and cut off, have measurements, and record that they changed.

ALTER TABLE runs RENAME TO runs_before;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the number of a deleted run is never reused
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
    process INTEGER NOT NULL,               -- the process that trains the run, or has it in its queue
    began TEXT NOT NULL DEFAULT '',         -- when that process started, because process numbers are reused
    checkpoint TEXT NOT NULL UNIQUE,        -- the name of its folder, never used by another run
    started TEXT NOT NULL,
    seconds REAL,                           -- time of training, without pauses
    peak_bytes INTEGER,                     -- peak memory
    progress TEXT NOT NULL DEFAULT '{}',    -- JSON object: phase, epoch, of, left
    curve TEXT NOT NULL DEFAULT '[]',       -- JSON list of epochs
    best_epoch INTEGER,
    metrics TEXT NOT NULL DEFAULT '{}',     -- JSON object
    problem TEXT NOT NULL DEFAULT '',
    request TEXT NOT NULL DEFAULT '{}',     -- JSON object: the request that starts a queued run
    place INTEGER                           -- position in the queue, the lowest is next; NULL if not queued
);

INSERT INTO runs (
    id, model, dataset, cleaning, split, seed, settings, state, process, checkpoint, started, seconds, curve, best_epoch,
    metrics, problem
)
SELECT
    id, model, dataset, cleaning, split, seed, settings, state, process, checkpoint, started, seconds, curve, best_epoch,
    metrics, problem
FROM runs_before;

DROP TABLE runs_before;

-- The measurements of a run other than its metrics.
CREATE TABLE measured (
    run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    rows TEXT NOT NULL,                     -- a fingerprint of the test rows
    by_user BLOB NOT NULL,                  -- sums by user, safetensors
    detail TEXT NOT NULL                    -- JSON object: subgroups, calibration, confusion
);

-- The newest change of each run, including deleted runs. To read what is new, remember the last id that you read.
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

INSERT INTO run_changes (run) SELECT id FROM runs ORDER BY id;
