-- From version 6 to 7: a run records its split seed, whether its dataset was joined with IMDb, and its processor time.

ALTER TABLE runs ADD COLUMN split_seed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN imdb TEXT;  -- the fingerprint of the join, '' without one; NULL if unknown, as in older runs
ALTER TABLE runs ADD COLUMN cpu_seconds REAL;

-- best_epoch was the epoch with the lowest validation loss; now it is the epoch that the model is taken from.
UPDATE runs SET best_epoch = NULL WHERE best_epoch IS NOT NULL;
