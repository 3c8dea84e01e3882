-- Everything of a user in and out. Each part gives (part, place, row); what leads to other rows does so by their ids.

-- name: rows
-- The rows of one table; {columns} are those that move.
SELECT {part} AS part, {place}::bigint AS place, to_jsonb(r) AS row FROM (
    SELECT {columns} FROM {table} WHERE user_id = %(user_id)s
) AS r

-- name: sources
-- Which messages memories rest on.
SELECT 'sources' AS part, 0::bigint AS place,
       jsonb_build_object('memory_id', m.record_id, 'message_id', s.record_id, 'stands', x.stands) AS row
FROM memory_source AS x
JOIN document AS m ON m.user_id = x.user_id AND m.doc = x.doc
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
WHERE x.user_id = %(user_id)s

-- name: links
-- Memory to memory.
SELECT 'links' AS part, 0::bigint AS place,
       jsonb_build_object('from_id', a.record_id, 'to_id', b.record_id, 'relation', x.relation) AS row
FROM memory_link AS x
JOIN document AS a ON a.user_id = x.user_id AND a.doc = x.from_doc
JOIN document AS b ON b.user_id = x.user_id AND b.doc = x.to_doc
WHERE x.user_id = %(user_id)s

-- name: uses
-- How often things were put in front of a model.
SELECT 'uses' AS part, 0::bigint AS place,
       jsonb_build_object('record_id', d.record_id, 'use_count', x.use_count, 'last_used_at', x.last_used_at) AS row
FROM memory_use AS x
JOIN document AS d ON d.user_id = x.user_id AND d.doc = x.doc
WHERE x.user_id = %(user_id)s

-- name: lock_user
-- One import into a user at a time.
SELECT name, timezone FROM app_user WHERE user_id = %(user_id)s FOR UPDATE;

-- name: set_timezone
-- The time zone that came with an import into an empty user.
UPDATE app_user SET timezone = %(timezone)s WHERE user_id = %(user_id)s;

-- name: has_rows
-- Whether anything is remembered of a user.
SELECT EXISTS (SELECT FROM conversation WHERE user_id = %(user_id)s)
    OR EXISTS (SELECT FROM document WHERE user_id = %(user_id)s)
    OR EXISTS (SELECT FROM memory_history WHERE user_id = %(user_id)s)
    OR EXISTS (SELECT FROM proposal WHERE user_id = %(user_id)s) AS found;

-- name: known_ids
-- Ids that are there already, by what they name.
SELECT 'conversation' AS what, id, name FROM conversation WHERE user_id = %(user_id)s
UNION ALL SELECT 'batch', id, NULL FROM batch WHERE user_id = %(user_id)s
UNION ALL SELECT 'document', record_id, NULL FROM document WHERE user_id = %(user_id)s
UNION ALL SELECT 'operation', operation_id, NULL FROM memory_history WHERE user_id = %(user_id)s
UNION ALL SELECT 'proposal', id, NULL FROM proposal WHERE user_id = %(user_id)s;

-- name: insert_conversation
-- A conversation as it was.
INSERT INTO conversation (user_id, id, name, created_at) VALUES (%(user_id)s, %(id)s, %(name)s, %(created_at)s);

-- name: insert_batch
-- A batch as it was.
INSERT INTO batch (user_id, id, idempotency_key, conversation_id, state, trust, attempt, replies, changes, problems,
                   routes, usage, error, created_at, applied_at)
VALUES (%(user_id)s, %(id)s, %(idempotency_key)s, %(conversation_id)s, %(state)s, %(trust)s, %(attempt)s, %(replies)s,
        %(changes)s, %(problems)s, %(routes)s, %(usage)s, %(error)s, %(created_at)s, %(applied_at)s);

-- name: has_key
-- Whether a batch was added under a key.
SELECT EXISTS (SELECT FROM batch WHERE user_id = %(user_id)s AND idempotency_key = %(idempotency_key)s) AS found;

-- name: insert_message
-- A piece of evidence as it was, with vectors made anew.
INSERT INTO message (user_id, id, conversation_id, batch_id, agent_id, run_id, visibility, role, speaker, source_kind,
                     application, title, uri, mime, text, at, timezone, mentioned, trust, standing, embedding,
                     window_embedding, embedding_model, external_id, cited, asks, created_at)
VALUES (%(user_id)s, %(id)s, %(conversation_id)s, %(batch_id)s, %(agent_id)s, %(run_id)s, %(visibility)s, %(role)s,
        %(speaker)s, %(source_kind)s, %(application)s, %(title)s, %(uri)s, %(mime)s, %(text)s, %(at)s, %(timezone)s,
        %(mentioned)s, %(trust)s, %(standing)s, %(embedding)s::halfvec, %(window_embedding)s::halfvec,
        %(embedding_model)s, %(external_id)s, %(cited)s, %(asks)s, %(created_at)s);

-- name: insert_source
-- A memory rests on a message.
INSERT INTO memory_source (user_id, doc, source_doc, stands)
SELECT %(user_id)s, m.doc, s.doc, %(stands)s FROM document AS m, document AS s
WHERE m.user_id = %(user_id)s AND m.record_id = %(memory_id)s AND s.user_id = %(user_id)s AND s.record_id = %(message_id)s
ON CONFLICT DO NOTHING;

-- name: insert_history
-- A change as it was.
INSERT INTO memory_history (user_id, operation_id, record_id, kind, operation, before, after, actor, reason, batch_id,
                            undone_by, at)
VALUES (%(user_id)s, %(operation_id)s, %(record_id)s, %(kind)s, %(operation)s, %(before)s, %(after)s, %(actor)s,
        %(reason)s, %(batch_id)s, %(undone_by)s, %(at)s);

-- name: insert_proposal
-- An operation that waits or waited for the user.
INSERT INTO proposal (user_id, id, batch_id, kind, operation, reason, state, created_at)
VALUES (%(user_id)s, %(id)s, %(batch_id)s, %(kind)s, %(operation)s, %(reason)s, %(state)s, %(created_at)s);

-- name: insert_use
-- How often something was put in front of a model.
INSERT INTO memory_use (user_id, doc, use_count, last_used_at)
SELECT %(user_id)s, d.doc, %(use_count)s, %(last_used_at)s FROM document AS d
WHERE d.user_id = %(user_id)s AND d.record_id = %(record_id)s
ON CONFLICT DO NOTHING;

-- name: insert_harmless
-- A value that the user has unsealed.
INSERT INTO harmless_value (user_id, digest, created_at) VALUES (%(user_id)s, %(digest)s, %(created_at)s)
ON CONFLICT DO NOTHING;

-- name: conversation_names
-- All conversations of a user.
SELECT id, name FROM conversation WHERE user_id = %(user_id)s;

-- name: imported_ids
-- What came in with an id of its own from a place, and where it stands.
SELECT m.external_id, c.name FROM message AS m
JOIN conversation AS c ON c.user_id = m.user_id AND c.id = m.conversation_id
WHERE m.user_id = %(user_id)s AND starts_with(m.external_id, %(prefix)s);

-- name: said_in
-- What was said in a conversation, in order.
SELECT role, at, text FROM message AS m
JOIN conversation AS c ON c.user_id = m.user_id AND c.id = m.conversation_id
WHERE m.user_id = %(user_id)s AND c.name = %(name)s ORDER BY m.position;

-- name: files_known
-- Pictures that came from files, with the mark of the file.
SELECT uri, external_id FROM message
WHERE user_id = %(user_id)s AND uri = ANY (%(uris)s::text[]) AND external_id IS NOT NULL;
