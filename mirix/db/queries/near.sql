-- Vector indexes of the users who have much to search: see mirix/memory/near.py. Run as the owner of the tables.

-- name: vector
-- What the index of a memory table holds.
({alias}.embedding::halfvec({dimensions}))

-- name: message_vector
-- What the index of messages holds: own vector and vector of the window as one direction.
(({alias}.embedding + coalesce({alias}.window_embedding, {alias}.embedding))::halfvec({dimensions}))

-- name: condition
-- The rows of an index, in the literal words that the planner needs to see that a query asks for no others.
{alias}.user_id = {user_id} AND {alias}.embedding_model = {model} AND vector_dims({alias}.embedding) = {dimensions}

-- name: present
-- Which of some indexes are there to be used.
SELECT c.relname FROM pg_class AS c
JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%(names)s::name[]) AND i.indisvalid

-- name: all_present
-- All such indexes, the unfinished ones too.
SELECT c.relname AS name, i.indisvalid AS is_valid FROM pg_class AS c
JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'near\_%%'

-- name: big
-- Who has many vectors of one embedder in a table, the most first; with the width of the newest.
SELECT b.user_id, b.embedding_model AS model, b.rows, w.dimensions
FROM (
    SELECT t.user_id, t.embedding_model, count(*) AS rows FROM {table} AS t
    WHERE t.embedding_model IS NOT NULL AND {condition}
    GROUP BY t.user_id, t.embedding_model
    HAVING count(*) >= %(least)s
    ORDER BY rows DESC
    LIMIT %(most)s
) AS b
CROSS JOIN LATERAL (
    SELECT vector_dims(t.embedding) AS dimensions FROM {table} AS t
    WHERE t.user_id = b.user_id AND t.embedding_model = b.embedding_model AND t.embedding IS NOT NULL
    ORDER BY t.id DESC LIMIT 1
) AS w

-- name: make
-- CONCURRENTLY: nobody waits for it.
CREATE INDEX CONCURRENTLY {name} ON {table} USING hnsw ({vector} {operators}) WHERE {condition}

-- name: drop
DROP INDEX CONCURRENTLY IF EXISTS {name}

-- name: grown
-- Tables that grew much since they were last vacuumed: their index-only scans read the rows as well.
SELECT relname AS name FROM pg_stat_user_tables
WHERE schemaname = 'public' AND n_ins_since_vacuum > greatest(%(least)s, n_live_tup * %(share)s)
