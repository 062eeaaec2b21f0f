-- From version 7 to 8: evaluations are runs too, runs record what their figures depend on, and sweeps are stored.

ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'training';   -- or 'evaluation', or 'trial': one try of a sweep
ALTER TABLE runs ADD COLUMN identity TEXT NOT NULL DEFAULT '';       -- of an evaluation or trial: a digest of everything
                                                                     -- that its figures depend on
ALTER TABLE runs ADD COLUMN task TEXT NOT NULL DEFAULT '';           -- of an evaluation or trial
ALTER TABLE runs ADD COLUMN list_order TEXT NOT NULL DEFAULT '';     -- of the lists that were measured
ALTER TABLE runs ADD COLUMN environment TEXT NOT NULL DEFAULT '{}';  -- JSON object: versions, processor, threads, data

CREATE INDEX runs_by_identity ON runs (identity) WHERE identity <> '';

CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the number of a deleted sweep is never reused
    identity TEXT NOT NULL,                 -- a digest of the request and of the data
    model TEXT NOT NULL,
    dataset TEXT NOT NULL,
    cleaning TEXT NOT NULL,
    split TEXT NOT NULL,
    seed INTEGER NOT NULL,
    metric TEXT NOT NULL,                   -- what the settings are chosen by
    request TEXT NOT NULL,                  -- JSON object: space, sampler, tries, split_seed, order, published
    started TEXT NOT NULL,
    test INTEGER REFERENCES runs ON DELETE SET NULL  -- the evaluation of the best settings on test; NULL until the end
);

CREATE TABLE trials (
    sweep INTEGER NOT NULL REFERENCES sweeps ON DELETE CASCADE,
    number INTEGER NOT NULL,                -- the order in which the settings were tried, from 1
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    changes TEXT NOT NULL,                  -- JSON object: the settings that were tried, as text
    PRIMARY KEY (sweep, number)
);
