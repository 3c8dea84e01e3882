-- Physical forgetting: what there is to forget, what hangs on it, and taking it out. See mirix/curation/reach.py for what goes
-- and why.

-- name: lock_open_batches
-- The user's work that is under way or waits, held until the end of the transaction. What is worked on comes first: whoever
-- applies it holds it before anything else.
SELECT id FROM batch WHERE user_id = %(user_id)s AND state <> 'applied'
ORDER BY state = 'running' DESC, position FOR UPDATE;

-- name: lock_records
-- Memories of one table, held until the end of the transaction.
SELECT id FROM {table} WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]) ORDER BY id FOR UPDATE;

-- name: lock_conversations
-- Nothing is added to these conversations until the end of the transaction.
SELECT id FROM conversation WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]) ORDER BY id FOR UPDATE;

-- name: places
-- What some ids name: the shelf tells a message from a memory and its kind.
SELECT record_id, shelf FROM document WHERE user_id = %(user_id)s AND record_id = ANY (%(ids)s::uuid[]);

-- name: edges_of_memories
-- The messages that memories rest on, whether or not they still speak for them.
SELECT m.record_id, m.shelf, s.record_id AS source_id
FROM document AS m
JOIN memory_source AS x ON x.user_id = m.user_id AND x.doc = m.doc
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
WHERE m.user_id = %(user_id)s AND m.record_id = ANY (%(ids)s::uuid[])
ORDER BY m.doc, s.doc;

-- name: edges_of_messages
-- The memories that rest on messages.
SELECT m.record_id, m.shelf, s.record_id AS source_id
FROM document AS s
JOIN memory_source AS x ON x.user_id = s.user_id AND x.source_doc = s.doc
JOIN document AS m ON m.user_id = x.user_id AND m.doc = x.doc
WHERE s.user_id = %(user_id)s AND s.record_id = ANY (%(ids)s::uuid[])
ORDER BY s.doc, m.doc;

-- name: replaced_by
-- Memories of one table whose place was taken by one of some others, and whether they were folded into it.
SELECT r.id, EXISTS (
    SELECT FROM document AS d
    JOIN memory_link AS l ON l.user_id = d.user_id AND l.from_doc = d.doc AND l.relation = 'merged_into'
    WHERE d.user_id = r.user_id AND d.record_id = r.id
) AS is_merged
FROM {table} AS r WHERE r.user_id = %(user_id)s AND r.superseded_by = ANY (%(ids)s::uuid[]) ORDER BY r.id;

-- name: messages_citing
-- Answers of the assistant that cite something: they repeat it.
SELECT id FROM message WHERE user_id = %(user_id)s AND cited && %(ids)s::uuid[] ORDER BY id;

-- name: messages_naming
-- Messages in which one of some texts stands.
SELECT m.id FROM message AS m
WHERE m.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(%(texts)s::text[]) AS wanted WHERE strpos(concat_ws(' ', m.text, m.title, m.uri), wanted) > 0
)
ORDER BY m.id;

-- name: memories_naming
-- Memories of one table in which one of some texts stands; {texts} are its columns of free text.
SELECT r.id FROM {table} AS r
WHERE r.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(%(texts)s::text[]) AS wanted
    WHERE strpos(jsonb_build_array({texts})::text, wanted) > 0
)
ORDER BY r.id;

-- name: frames_of
-- The pictures of some messages, with their recognised lines.
SELECT message_id, lines FROM frame WHERE user_id = %(user_id)s AND message_id = ANY (%(ids)s::uuid[]) ORDER BY message_id;

-- name: history_around
-- Changes of some memories, and what changed together with others.
SELECT seq, record_id, operation_id, before, after, reason FROM memory_history
WHERE user_id = %(user_id)s AND (record_id = ANY (%(ids)s::uuid[]) OR operation_id IN (
    SELECT operation_id FROM memory_history WHERE user_id = %(user_id)s AND record_id = ANY (%(gone)s::uuid[])
))
ORDER BY seq;

-- name: batches_telling
-- Batches that hold copies: those of some messages, those that changed some memories, and those that name them.
SELECT b.id, b.changes FROM batch AS b
WHERE b.user_id = %(user_id)s AND (
    b.id = ANY (%(batch_ids)s::uuid[])
    OR b.id IN (
        SELECT h.batch_id FROM memory_history AS h
        WHERE h.user_id = %(user_id)s AND h.record_id = ANY (%(gone)s::uuid[])
    )
    OR EXISTS (
        SELECT FROM unnest(%(gone)s::uuid[]) AS gone
        WHERE strpos(concat(b.replies::text, b.changes::text, b.problems::text), gone::text) > 0
    )
)
ORDER BY b.id;

-- name: delete_records
-- Memories of one table, for good.
DELETE FROM {table} WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]);

-- name: delete_documents
-- Their places in the index, with postings, sources, links and uses.
DELETE FROM document WHERE user_id = %(user_id)s AND record_id = ANY (%(ids)s::uuid[]);

-- name: delete_history
-- All that ever changed some memories.
DELETE FROM memory_history WHERE user_id = %(user_id)s AND record_id = ANY (%(ids)s::uuid[]);

-- name: delete_changes
-- Single changes.
DELETE FROM memory_history WHERE user_id = %(user_id)s AND seq = ANY (%(seqs)s::bigint[]);

-- name: redact_reasons
-- Changes without their reasons.
UPDATE memory_history SET reason = NULL WHERE user_id = %(user_id)s AND seq = ANY (%(seqs)s::bigint[]);

-- name: delete_proposals
-- Waiting or decided operations that name, or rest on, something that goes.
DELETE FROM proposal AS p
WHERE p.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(%(ids)s::uuid[]) AS gone WHERE strpos(p.operation::text, gone::text) > 0
);

-- name: proposals_on
-- Operations that rest on messages which stay.
SELECT p.id, p.operation, p.reason FROM proposal AS p
WHERE p.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(%(ids)s::uuid[]) AS source WHERE strpos(p.operation::text, source::text) > 0
)
ORDER BY p.id;

-- name: delete_proposal
-- One operation, waiting or decided.
DELETE FROM proposal WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: delete_messages
-- Messages, with their pictures.
DELETE FROM message WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]);

-- name: rewrite_message
-- A message without the sentences that had to go.
UPDATE message SET text = %(text)s, title = %(title)s, mentioned = %(mentioned)s, embedding = %(embedding)s::halfvec,
                   embedding_model = %(embedding_model)s
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: clean_batch
-- A batch without its copies of what went; what it still has to do is asked anew.
UPDATE batch SET replies = '{}', problems = '[]', changes = %(changes)s,
                 error = CASE WHEN error IS NOT NULL THEN 'forgotten with what it told' END
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: drop_keys
-- What was added with some messages may be added again: the batches they were in are known by no key any more.
UPDATE batch SET idempotency_key = decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
WHERE user_id = %(user_id)s AND id = ANY (%(batch_ids)s::uuid[]);

-- name: delete_empty_batches
-- Batches that have lost all their messages.
DELETE FROM batch AS b
WHERE b.user_id = %(user_id)s AND b.id = ANY (%(batch_ids)s::uuid[])
  AND NOT EXISTS (SELECT FROM message AS m WHERE m.user_id = b.user_id AND m.batch_id = b.id);

-- name: running_batches
-- What somebody is working on.
SELECT id FROM batch WHERE user_id = %(user_id)s AND state = 'running' ORDER BY position;

-- name: restart_batch
-- Work begins anew under another id: whoever is at it still knows what went, and finds the batch gone.
WITH moved AS (
    UPDATE message SET batch_id = %(new_id)s WHERE user_id = %(user_id)s AND batch_id = %(id)s
), kept AS (
    UPDATE memory_history SET batch_id = %(new_id)s WHERE user_id = %(user_id)s AND batch_id = %(id)s
)
UPDATE batch SET id = %(new_id)s, state = 'pending', replies = '{}', attempt = 0, lease_until = NULL
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: delete_empty_conversations
-- Conversations in which nothing is said any more.
DELETE FROM conversation AS c
WHERE c.user_id = %(user_id)s AND c.id = ANY (%(ids)s::uuid[])
  AND NOT EXISTS (SELECT FROM message AS m WHERE m.user_id = c.user_id AND m.conversation_id = c.id);

-- name: all_records
-- All memories of one table, whatever their status, held until the end of the transaction.
SELECT id, summary FROM {table} WHERE user_id = %(user_id)s ORDER BY id FOR UPDATE;

-- name: evidence_of
-- How much a user has said, and the messages whose pictures are kept.
SELECT (SELECT count(*) FROM message WHERE user_id = %(user_id)s) AS messages,
       (SELECT coalesce(array_agg(message_id), '{}') FROM frame WHERE user_id = %(user_id)s) AS shown;

-- name: forget_user
-- Everything of the user of this transaction; the numbers stay.
SELECT forget_user(%(memories)s, %(messages)s, %(pictures)s);
