-- From version 3 to 4: named lists of movies.

-- A version of a list, stored by the step that changed it. The newest version whose step is not undone is current, so
-- undoing a step restores the previous version.
CREATE TABLE lists (
    id INTEGER PRIMARY KEY,
    viewer INTEGER NOT NULL REFERENCES viewers ON DELETE CASCADE,
    step INTEGER NOT NULL REFERENCES steps ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),   -- 1 if the step removed the list
    UNIQUE (step, name)
);

CREATE INDEX lists_by_viewer ON lists (viewer, name, id);

CREATE TABLE listed (
    list INTEGER NOT NULL REFERENCES lists ON DELETE CASCADE,
    place INTEGER NOT NULL CHECK (place > 0),
    film TEXT NOT NULL CHECK (length(film) BETWEEN 1 AND 50000),
    title TEXT NOT NULL CHECK (length(title) <= 1000),
    year INTEGER NOT NULL CHECK (year BETWEEN 0 AND 9999),          -- 0 if unknown
    note TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    PRIMARY KEY (list, place)
) WITHOUT ROWID;
