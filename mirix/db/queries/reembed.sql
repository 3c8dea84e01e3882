-- Vectors that are still to come: of rows that came in while the embedder was away, or that another embedder made.
-- A row names the embedder that was asked last; where that is the present one and there is no vector, it does not read
-- the text. Hidden messages are never searched and wait until they are shown again.

-- name: is_new
-- Rows that no embedder was asked about yet.
r.embedding_model IS NULL

-- name: is_other
-- Rows that the present embedder was not asked about, or whose vectors have another width: the model behind the name was
-- another then.
(r.embedding_model IS DISTINCT FROM %(model)s OR vector_dims(r.embedding) <> %(dimensions)s)

-- name: lacking_messages
-- The newest messages first: what was just said is asked about soonest.
(SELECT {kind}::smallint AS kind, r.id FROM message AS r
 WHERE r.user_id = %(user_id)s AND r.standing <> 'hidden' AND {condition}
 ORDER BY r.position DESC LIMIT %(limit)s)

-- name: lacking_records
-- The same of one memory; ids sort by time.
(SELECT {kind}::smallint AS kind, r.id FROM {table} AS r
 WHERE r.user_id = %(user_id)s AND {condition}
 ORDER BY r.id DESC LIMIT %(limit)s)

-- name: count_messages
-- How many messages each embedder was asked about last, null: none; with the width of one of its vectors.
SELECT {kind}::smallint AS kind, r.embedding_model, count(*) AS rows,
       (SELECT vector_dims(one.embedding) FROM message AS one
        WHERE one.user_id = %(user_id)s AND one.standing <> 'hidden' AND one.embedding_model = r.embedding_model
          AND one.embedding IS NOT NULL LIMIT 1) AS width
FROM message AS r
WHERE r.user_id = %(user_id)s AND r.standing <> 'hidden'
GROUP BY r.embedding_model

-- name: count_records
-- The same of one memory.
SELECT {kind}::smallint AS kind, r.embedding_model, count(*) AS rows,
       (SELECT vector_dims(one.embedding) FROM {table} AS one
        WHERE one.user_id = %(user_id)s AND one.embedding_model = r.embedding_model
          AND one.embedding IS NOT NULL LIMIT 1) AS width
FROM {table} AS r
WHERE r.user_id = %(user_id)s
GROUP BY r.embedding_model

-- name: unread_messages
-- How many messages the present embedder was asked about in vain.
SELECT count(*) AS rows FROM message AS r
WHERE r.user_id = %(user_id)s AND r.standing <> 'hidden' AND r.embedding_model = %(model)s AND r.embedding IS NULL

-- name: unread_records
-- The same of one memory.
SELECT count(*) AS rows FROM {table} AS r
WHERE r.user_id = %(user_id)s AND r.embedding_model = %(model)s AND r.embedding IS NULL

-- name: seen
-- A digest of the texts that the vectors of a message are made of, to see whether they are still the same.
md5(jsonb_build_array(
    r.text,
    (SELECT jsonb_build_array(n.id, n.text) FROM message AS n
     WHERE n.user_id = r.user_id AND n.conversation_id = r.conversation_id AND n.position < r.position
       AND n.standing <> 'hidden'
     ORDER BY n.position DESC LIMIT 1),
    (SELECT jsonb_build_array(n.id, n.text) FROM message AS n
     WHERE n.user_id = r.user_id AND n.conversation_id = r.conversation_id AND n.position > r.position
       AND n.standing <> 'hidden'
     ORDER BY n.position LIMIT 1)
)::text)

-- name: messages_to_embed
-- Some messages with their two neighbours, and all who speak in their batches: what their vectors are made of.
SELECT r.id, r.speaker, r.text, r.embedding IS NOT NULL AND r.embedding_model = %(model)s AS is_current, {seen} AS seen,
       before.id AS before_id, before.speaker AS before_speaker, before.text AS before_text,
       after.id AS after_id, after.speaker AS after_speaker, after.text AS after_text,
       ARRAY(SELECT DISTINCT s.speaker FROM message AS s
             WHERE s.user_id = r.user_id AND s.batch_id IN (r.batch_id, before.batch_id, after.batch_id)) AS speakers
FROM message AS r
LEFT JOIN LATERAL (
    SELECT n.id, n.speaker, n.text, n.batch_id FROM message AS n
    WHERE n.user_id = r.user_id AND n.conversation_id = r.conversation_id AND n.position < r.position
      AND n.standing <> 'hidden'
    ORDER BY n.position DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT n.id, n.speaker, n.text, n.batch_id FROM message AS n
    WHERE n.user_id = r.user_id AND n.conversation_id = r.conversation_id AND n.position > r.position
      AND n.standing <> 'hidden'
    ORDER BY n.position LIMIT 1
) AS after ON true
WHERE r.user_id = %(user_id)s AND r.id = ANY (%(ids)s::uuid[]) AND r.standing <> 'hidden'
ORDER BY r.position DESC

-- name: lock_rows
-- Rows of a table, held until they are written. One that somebody else is changing is left to them: what does not wait
-- for others cannot end in a deadlock with them.
SELECT r.id FROM {table} AS r WHERE r.user_id = %(user_id)s AND r.id = ANY (%(ids)s::uuid[])
FOR UPDATE SKIP LOCKED

-- name: write_message
-- The vectors of a message; nothing when one of the texts they were made of is another by now.
UPDATE message AS r SET embedding = %(embedding)s::halfvec, window_embedding = %(window_embedding)s::halfvec,
                        embedding_model = %(model)s
WHERE r.user_id = %(user_id)s AND r.id = %(id)s AND {seen} = %(seen)s

-- name: write_record
-- The vector of a memory; nothing when the memory changed since it was read. It is derived: the version stays.
UPDATE {table} AS r SET embedding = %(embedding)s::halfvec, embedding_model = %(model)s
WHERE r.user_id = %(user_id)s AND r.id = %(id)s AND r.version = %(version)s
