-- Runs that wait, pause and are cut off; what was measured of each; and what changed since somebody looked.

ALTER TABLE runs RENAME TO runs_before;

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

INSERT INTO runs (
    id, model, dataset, cleaning, split, seed, settings, state, process, checkpoint, started, seconds, curve, best_epoch,
    metrics, problem
)
SELECT
    id, model, dataset, cleaning, split, seed, settings, state, process, checkpoint, started, seconds, curve, best_epoch,
    metrics, problem
FROM runs_before;

DROP TABLE runs_before;

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

INSERT INTO run_changes (run) SELECT id FROM runs ORDER BY id;
