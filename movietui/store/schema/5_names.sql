-- From version 4 to 5: columns have the names that the program uses.

ALTER TABLE ratings RENAME COLUMN film TO movie;
ALTER TABLE ratings RENAME COLUMN place TO change;
ALTER TABLE marks RENAME COLUMN film TO movie;
ALTER TABLE marks RENAME COLUMN place TO change;
ALTER TABLE changes RENAME COLUMN film TO movie;
ALTER TABLE changes RENAME COLUMN place_before TO change_before;
ALTER TABLE aliases RENAME COLUMN film TO movie;
ALTER TABLE films RENAME COLUMN film TO movie;
ALTER TABLE films RENAME TO movie_ids;
ALTER TABLE settled RENAME COLUMN own TO imported;
ALTER TABLE settled RENAME COLUMN film TO movie;
ALTER TABLE listed RENAME COLUMN film TO movie;
ALTER TABLE listed RENAME COLUMN place TO position;
ALTER TABLE runs RENAME COLUMN place TO position;
