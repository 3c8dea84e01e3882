-- name: related
-- The entries whose references stand in the evidence: what was sealed just now, and what is spoken of.
SELECT {columns} FROM knowledge_vault
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
  AND reference = ANY (%(references)s::text[])
ORDER BY id;

-- name: references_by_value
-- Entries by the keyed digest of their value, so that a known value keeps its reference.
SELECT DISTINCT ON (content_hmac) content_hmac, reference FROM knowledge_vault
WHERE user_id = %(user_id)s AND content_hmac = ANY (%(digests)s::bytea[]) AND status IN ('active', 'superseded')
ORDER BY content_hmac, status, id;

-- name: lock_values
-- One writer of new values at a time for each user: two that seal the same value at once would give it two references.
SELECT pg_advisory_xact_lock(hashtextextended('mirix vault', %(user_id)s));

-- name: by_references
-- Entries by the references that stand in texts.
SELECT {columns} FROM knowledge_vault WHERE user_id = %(user_id)s AND reference = ANY (%(references)s::text[]);

-- name: harmless_values
-- What the user has unsealed: no secrets.
SELECT digest FROM harmless_value WHERE user_id = %(user_id)s;

-- name: insert_harmless
-- A value that the user has unsealed.
INSERT INTO harmless_value (user_id, digest) VALUES (%(user_id)s, %(digest)s) ON CONFLICT DO NOTHING;

-- name: delete_harmless
-- Values that are secrets after all.
DELETE FROM harmless_value WHERE user_id = %(user_id)s AND digest = ANY (%(digests)s::bytea[]);

-- name: insert_audit
-- Who looked at what, and when; written before the value is opened.
INSERT INTO audit (user_id, actor, action, record_id, note)
VALUES (%(user_id)s, %(actor)s, %(action)s, %(record_id)s, %(note)s);

-- name: high_values
-- The sealed values of high sensitivity, so that a misread twin on a screen is known as one.
SELECT id, reference, ciphertext, nonce, wrapped_key, format_version, key_id, value_version FROM knowledge_vault
WHERE user_id = %(user_id)s AND sensitivity = 'high' AND status IN ('active', 'superseded')
ORDER BY status, id;
