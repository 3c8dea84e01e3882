-- Sealing and unsealing by hand. What holds a value is found and rewritten by redaction.sql.

-- name: open_batches
-- Work that is not done, held until the end of the transaction: whoever begins on it then reads what stands there by then.
SELECT state = 'running' AND lease_until > now() AS is_running FROM batch
WHERE user_id = %(user_id)s AND state IN ('gathering', 'pending', 'running') FOR UPDATE;

-- name: lines_of
-- The recognised lines of a picture.
SELECT lines FROM frame WHERE user_id = %(user_id)s AND message_id = %(message_id)s;

-- name: pictures_of
-- Those of some messages that are pictures.
SELECT message_id FROM frame WHERE user_id = %(user_id)s AND message_id = ANY (%(message_ids)s::uuid[]) ORDER BY message_id;

-- name: texts_with
-- Messages in which one of some strings stands.
SELECT text FROM message AS m
WHERE m.user_id = %(user_id)s AND EXISTS (
    SELECT FROM unnest(%(values)s::text[]) AS value WHERE strpos(m.text, value) > 0);

-- name: messages_alone_with
-- The messages that rest on no memory but one.
SELECT s.record_id FROM document AS d
JOIN memory_source AS x ON x.user_id = d.user_id AND x.doc = d.doc
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
WHERE d.user_id = %(user_id)s AND d.record_id = %(record_id)s AND NOT EXISTS (
    SELECT FROM memory_source AS y
    WHERE y.user_id = x.user_id AND y.source_doc = x.source_doc AND y.doc <> x.doc);

-- name: delete_history
-- The changes of an entry that is taken out of the vault: they hold its sealed value, too.
DELETE FROM memory_history WHERE user_id = %(user_id)s AND record_id = %(record_id)s;

-- name: delete_document
-- Its place in the index, with postings, sources and links.
DELETE FROM document WHERE user_id = %(user_id)s AND record_id = %(record_id)s;

-- name: unlink_entry
-- Nothing has its place any more.
UPDATE knowledge_vault SET superseded_by = NULL WHERE user_id = %(user_id)s AND superseded_by = %(record_id)s;

-- name: delete_entry
-- The entry itself.
DELETE FROM knowledge_vault WHERE user_id = %(user_id)s AND id = %(record_id)s;
