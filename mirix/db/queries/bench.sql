-- What `mirix bench` does to a database that is thrown away, as its owner.

-- name: unchecked
-- No foreign key is checked in this session: the rows are made to fit.
SET session_replication_role = replica;

-- name: users
-- Users with the keys 1, 2, 3, …
INSERT INTO app_user (user_id, name, timezone) OVERRIDING SYSTEM VALUE
SELECT number, 'user ' || number, 'UTC' FROM generate_series(1, %(users)s) AS s (number);

-- name: frequencies
-- How often the terms of each document stand in it, until the postings are made of it.
CREATE TEMPORARY TABLE bench_frequency (doc integer NOT NULL, frequencies smallint[] NOT NULL);

-- name: posting_key
-- The primary key of the postings, in words.
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'posting_pkey';

-- name: drop_posting_key
-- The index is made at the end, which takes a fraction of the time.
ALTER TABLE posting DROP CONSTRAINT posting_pkey;

-- name: postings
-- The postings of all documents.
INSERT INTO posting (user_id, term, doc, shelf, tf, length)
SELECT d.user_id, x.term, d.doc, d.shelf, x.tf, d.length
FROM document AS d
JOIN bench_frequency AS f ON f.doc = d.doc
CROSS JOIN LATERAL unnest(d.terms, f.frequencies) AS x (term, tf);

-- name: sequences
-- What comes in later is numbered behind the rest.
SELECT setval(pg_get_serial_sequence('document', 'doc'), (SELECT max(doc) FROM document)),
       setval(pg_get_serial_sequence('message', 'position'), (SELECT max(position) FROM message)),
       setval(pg_get_serial_sequence('app_user', 'user_id'), (SELECT max(user_id) FROM app_user));
