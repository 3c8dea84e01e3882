-- What may hold a value that has to go. Needles are values as JSON writes them inside a string; those `everywhere` are cut
-- from all of the user's data, the others from one batch only.

-- name: messages_with
-- Messages that hold a value in the clear.
SELECT {columns} FROM message AS m
WHERE m.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(CASE WHEN m.batch_id = %(batch_id)s THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(jsonb_build_array(m.text, m.title, m.uri, m.application)::text, needle) > 0
);

-- name: conversations_with
-- All messages of some conversations, in order: vectors of neighbours hold a message's text, too.
SELECT conversation_id, id, speaker, text FROM message
WHERE user_id = %(user_id)s AND conversation_id = ANY (%(conversation_ids)s::uuid[])
ORDER BY conversation_id, position;

-- name: redact_message
-- A message without what had to go.
UPDATE message SET text = %(text)s, title = %(title)s, uri = %(uri)s, application = %(application)s,
                   mentioned = %(mentioned)s, embedding = %(embedding)s::halfvec, embedding_model = %(embedding_model)s
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: records_with
-- Memories of one table that hold a value in the clear; {texts} are its columns of free text.
SELECT {columns} FROM {table} AS r
WHERE r.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(
        CASE WHEN r.id = ANY (%(record_ids)s::uuid[]) THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(jsonb_build_array({texts})::text, needle) > 0
);

-- name: history_with
-- Changes that tell a value.
SELECT seq, record_id, batch_id, before, after, reason FROM memory_history AS h
WHERE h.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(
        CASE WHEN h.batch_id = %(batch_id)s OR h.record_id = ANY (%(record_ids)s::uuid[])
             THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(jsonb_build_array(h.before, h.after, h.reason)::text, needle) > 0
);

-- name: redact_history
-- A change without what had to go.
UPDATE memory_history SET before = %(before)s, after = %(after)s, reason = %(reason)s
WHERE user_id = %(user_id)s AND seq = %(seq)s;

-- name: records_of_batch
-- The memories that came of a batch: that rest on its messages or were changed by it, and those that took their places.
WITH RECURSIVE mine (record_id) AS (
    (SELECT d.record_id FROM message AS m
     JOIN document AS s ON s.user_id = m.user_id AND s.record_id = m.id
     JOIN memory_source AS x ON x.user_id = s.user_id AND x.source_doc = s.doc
     JOIN document AS d ON d.user_id = x.user_id AND d.doc = x.doc
     WHERE m.user_id = %(user_id)s AND m.batch_id = %(batch_id)s
     UNION
     SELECT h.record_id FROM memory_history AS h WHERE h.user_id = %(user_id)s AND h.batch_id = %(batch_id)s)
    UNION
    SELECT other.record_id FROM mine
    JOIN memory_history AS h ON h.user_id = %(user_id)s AND h.record_id = mine.record_id
    JOIN memory_history AS other ON other.user_id = h.user_id AND other.operation_id = h.operation_id
)
SELECT record_id FROM mine;

-- name: batches_of_records
-- The batches that changed some memories: their managers were shown them.
SELECT DISTINCT batch_id FROM memory_history
WHERE user_id = %(user_id)s AND record_id = ANY (%(record_ids)s::uuid[]) AND batch_id IS NOT NULL;

-- name: batches_with
-- Batches whose stored answers or outcome tell a value.
SELECT id, replies, changes, problems, error FROM batch AS b
WHERE b.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(CASE WHEN b.id = ANY (%(told)s::uuid[]) THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(jsonb_build_array(b.replies, b.changes, b.problems, b.error)::text, needle) > 0
);

-- name: redact_batch
-- A batch without what had to go.
UPDATE batch SET replies = %(replies)s, changes = %(changes)s, problems = %(problems)s, error = %(error)s
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: proposals_with
-- Waiting operations that tell a value.
SELECT id, batch_id, operation, reason FROM proposal AS p
WHERE p.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(
        CASE WHEN p.batch_id = ANY (%(told)s::uuid[]) OR p.operation->'targets' ?| %(record_ids)s::uuid[]::text[]
             THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(jsonb_build_array(p.operation, p.reason)::text, needle) > 0
);

-- name: redact_proposal
-- A waiting operation without what had to go.
UPDATE proposal SET operation = %(operation)s, reason = %(reason)s WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: frames_with
-- Pictures in whose recognised lines a value stands.
SELECT f.message_id, m.batch_id, f.lines FROM frame AS f
JOIN message AS m ON m.user_id = f.user_id AND m.id = f.message_id
WHERE f.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(CASE WHEN m.batch_id = %(batch_id)s THEN %(here)s ELSE %(everywhere)s END::text[]) AS needle
    WHERE strpos(f.lines::text, needle) > 0
);

-- name: redact_frame
-- A picture's lines without what had to go.
UPDATE frame SET lines = %(lines)s WHERE user_id = %(user_id)s AND message_id = %(message_id)s;
