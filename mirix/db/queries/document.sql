-- name: insert_document
-- Puts a message or memory on a shelf of the search index, with its postings.
WITH placed AS (
    INSERT INTO document (user_id, shelf, record_id, length, terms, analyser)
    VALUES (%(user_id)s, %(shelf)s, %(record_id)s, %(length)s, %(terms)s::integer[], %(analyser)s)
    RETURNING doc
), filed AS (
    INSERT INTO posting (user_id, term, doc, shelf, tf, length)
    SELECT %(user_id)s, x.term, placed.doc, %(shelf)s, x.tf, %(length)s
    FROM placed, unnest(%(terms)s::integer[], %(frequencies)s::smallint[]) AS x (term, tf)
)
SELECT doc FROM placed;

-- name: reindex_document
-- Replaces length and terms of a document after its text changed; its old postings must be gone.
WITH placed AS (
    UPDATE document SET shelf = %(shelf)s, length = %(length)s, terms = %(terms)s::integer[], analyser = %(analyser)s
    WHERE user_id = %(user_id)s AND record_id = %(record_id)s
    RETURNING doc
)
INSERT INTO posting (user_id, term, doc, shelf, tf, length)
SELECT %(user_id)s, x.term, placed.doc, %(shelf)s, x.tf, %(length)s
FROM placed, unnest(%(terms)s::integer[], %(frequencies)s::smallint[]) AS x (term, tf);

-- name: delete_postings
-- Takes the postings of one document away, found by its own terms.
DELETE FROM posting AS p USING (
    SELECT d.doc, d.shelf, unnest(d.terms) AS term FROM document AS d
    WHERE d.user_id = %(user_id)s AND d.record_id = %(record_id)s
) AS old
WHERE p.user_id = %(user_id)s AND p.shelf = old.shelf AND p.term = old.term AND p.doc = old.doc;

-- name: move_document
-- Moves a document and its postings to another shelf.
WITH old AS MATERIALIZED (
    SELECT doc, shelf, terms FROM document
    WHERE user_id = %(user_id)s AND record_id = %(record_id)s AND shelf <> %(shelf)s
), moved AS (
    UPDATE posting AS p SET shelf = %(shelf)s FROM old
    WHERE p.user_id = %(user_id)s AND p.shelf = old.shelf AND p.term = ANY (old.terms) AND p.doc = old.doc
)
UPDATE document AS d SET shelf = %(shelf)s FROM old WHERE d.user_id = %(user_id)s AND d.doc = old.doc;

-- name: shelf_of
-- Where a record stands, and so what kind it is of.
SELECT doc, shelf FROM document WHERE user_id = %(user_id)s AND record_id = %(record_id)s;

-- name: insert_sources
-- Records which messages a memory rests on.
INSERT INTO memory_source (user_id, doc, source_doc)
SELECT %(user_id)s, m.doc, s.doc
FROM document AS m, document AS s
WHERE m.user_id = %(user_id)s AND m.record_id = %(record_id)s
  AND s.user_id = %(user_id)s AND s.record_id = ANY (%(source_ids)s::uuid[])
ON CONFLICT DO NOTHING;

-- name: sources_of
-- The messages that memories rest on, oldest first.
SELECT m.record_id, s.record_id AS source_id, x.stands
FROM document AS m
JOIN memory_source AS x ON x.user_id = m.user_id AND x.doc = m.doc
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
WHERE m.user_id = %(user_id)s AND m.record_id = ANY (%(record_ids)s::uuid[])
ORDER BY m.record_id, x.source_doc;

-- name: memories_on
-- The memories that rest on messages, with where they stand.
SELECT s.record_id AS source_id, m.record_id, m.shelf
FROM document AS s
JOIN memory_source AS x ON x.user_id = s.user_id AND x.source_doc = s.doc
JOIN document AS m ON m.user_id = x.user_id AND m.doc = x.doc
WHERE s.user_id = %(user_id)s AND s.record_id = ANY (%(source_ids)s::uuid[]) AND x.stands;

-- name: set_stands
-- Says whether the present messages of a memory still speak for it.
UPDATE memory_source AS x SET stands = %(stands)s FROM document AS m
WHERE x.user_id = %(user_id)s AND m.user_id = %(user_id)s AND m.record_id = %(record_id)s AND x.doc = m.doc
  AND x.stands <> %(stands)s;

-- name: standings
-- What the messages behind some memories are worth now: see message.standing.
SELECT s.record_id,
       CASE
           WHEN bool_or(x.stands AND m.shelf %% 3 = 0) THEN
               CASE WHEN bool_or(m.shelf %% 3 = 1) THEN 'outdated' ELSE 'current' END
           WHEN bool_or(m.shelf %% 3 = 2 OR NOT x.stands) THEN 'hidden'
           ELSE 'outdated'
       END AS standing
FROM memory_source AS mine
JOIN document AS own ON own.user_id = mine.user_id AND own.doc = mine.doc
JOIN memory_source AS x ON x.user_id = mine.user_id AND x.source_doc = mine.source_doc
JOIN document AS m ON m.user_id = x.user_id AND m.doc = x.doc
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
WHERE mine.user_id = %(user_id)s AND own.record_id = ANY (%(record_ids)s::uuid[])
GROUP BY s.record_id;

-- name: set_standing
-- Changes what a message is worth.
UPDATE message SET standing = %(standing)s
WHERE user_id = %(user_id)s AND id = %(record_id)s AND standing <> %(standing)s;

-- name: insert_link
-- Connects two memories.
INSERT INTO memory_link (user_id, from_doc, to_doc, relation)
SELECT %(user_id)s, a.doc, b.doc, %(relation)s
FROM document AS a, document AS b
WHERE a.user_id = %(user_id)s AND a.record_id = %(from_id)s AND b.user_id = %(user_id)s AND b.record_id = %(to_id)s
ON CONFLICT DO NOTHING;

-- name: delete_links_between
-- Takes the connections of a change back.
DELETE FROM memory_link AS l USING document AS a, document AS b
WHERE l.user_id = %(user_id)s AND a.user_id = %(user_id)s AND b.user_id = %(user_id)s
  AND l.from_doc = a.doc AND l.to_doc = b.doc
  AND a.record_id = ANY (%(record_ids)s::uuid[]) AND b.record_id = ANY (%(record_ids)s::uuid[]);

-- name: told_at
-- When some messages were said.
SELECT at FROM message WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]);
