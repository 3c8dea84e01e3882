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

-- name: message_after
-- A message of a user, the first one at or after a time.
SELECT text, embedding FROM message WHERE user_id = %(user_id)s AND at >= %(at)s ORDER BY at LIMIT 1;

-- name: database_size
SELECT pg_database_size(current_database()) AS bytes;

-- name: plain_memory
-- An index that does not fit into it takes many times as long to build.
SET maintenance_work_mem = '2GB';

-- name: plain_table
-- All vectors as somebody would keep them who only wants the nearest.
CREATE TABLE plain AS
SELECT row_number() OVER () AS id, user_id, embedding::halfvec(384) AS embedding
FROM (
    SELECT user_id, embedding FROM message
    UNION ALL SELECT user_id, embedding FROM core_memory
    UNION ALL SELECT user_id, embedding FROM episodic_memory
    UNION ALL SELECT user_id, embedding FROM semantic_memory
    UNION ALL SELECT user_id, embedding FROM procedural_memory
    UNION ALL SELECT user_id, embedding FROM resource_memory
    UNION ALL SELECT user_id, embedding FROM knowledge_vault
) AS every;

-- name: plain_index
CREATE INDEX plain_near ON plain USING hnsw (embedding halfvec_cosine_ops);

-- name: plain_analyse
ANALYZE plain;

-- name: plain_size
SELECT pg_total_relation_size('plain');

-- name: plain_exactly
-- No walk over the graph.
SET enable_indexscan = off;

-- name: plain_by_index
-- The planner chooses; of the graph it gets what the setting allows.
SELECT set_config('enable_indexscan', 'on', false), set_config('hnsw.iterative_scan', %(scan)s, false);

-- name: plain_nearest
SELECT id FROM plain WHERE user_id = %(user_id)s ORDER BY embedding <=> %(vector)s::halfvec LIMIT 10;

-- name: plain_nearest_of
-- Among every first, second, … row of the table.
SELECT id FROM plain
WHERE user_id = %(user_id)s AND id %% %(step)s = 0
ORDER BY embedding <=> %(vector)s::halfvec LIMIT 10;

-- name: plain_rows
SELECT count(*) FROM plain;

-- name: plain_every
SELECT id, user_id, embedding FROM plain WHERE id %% %(step)s = 0 ORDER BY id;

-- name: store_schema
-- Where LangGraph's store keeps its tables.
CREATE SCHEMA langgraph;

-- name: store_analyse
ANALYZE langgraph.store, langgraph.store_vectors;

-- name: store_size
SELECT pg_total_relation_size('langgraph.store') + pg_total_relation_size('langgraph.store_vectors');
