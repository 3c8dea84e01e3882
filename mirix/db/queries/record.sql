-- Queries that are the same for all six memory tables; {table} is the table, {columns} its columns as a record.

-- name: get_records
-- Some memories by id.
SELECT {columns} FROM {table} WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]);

-- name: lock_record
-- One memory, held until the end of the transaction.
SELECT {columns} FROM {table} WHERE user_id = %(user_id)s AND id = %(id)s FOR UPDATE;

-- name: list_records
-- Memories newest first, filtered; as_of asks for what held in the world at that time.
SELECT {columns} FROM {table}
WHERE user_id = %(user_id)s
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
  AND (%(tags)s::text[] IS NULL OR tags @> %(tags)s)
  AND (%(as_of)s::timestamptz IS NULL OR (valid_from <= %(as_of)s AND (valid_to IS NULL OR valid_to > %(as_of)s)))
  AND status = ANY (%(statuses)s::text[])
  AND (expires_at IS NULL OR expires_at > now())
ORDER BY updated_at DESC, id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- name: count_records
-- How many memories of the table are active.
SELECT count(*) AS count FROM {table} WHERE user_id = %(user_id)s AND status = 'active';

-- name: find_equal
-- Active memories that say the same, by keyed digest, in the same scope.
SELECT {columns} FROM {table}
WHERE user_id = %(user_id)s AND content_hmac = %(content_hmac)s AND status = 'active'
  AND agent_id IS NOT DISTINCT FROM %(agent_id)s AND run_id IS NOT DISTINCT FROM %(run_id)s
ORDER BY id;

-- name: insert_record
-- A new memory with its vector.
INSERT INTO {table} ({columns}, embedding) VALUES ({values}, %(embedding)s::halfvec);

-- name: save_record
-- A changed memory; nothing happens unless it is still at the version that was read.
UPDATE {table} SET {assignments}, version = version + 1, updated_at = clock_timestamp(),
       embedding = CASE WHEN %(keeps_text)s THEN embedding ELSE %(embedding)s::halfvec END,
       embedding_model = CASE WHEN %(keeps_text)s THEN embedding_model ELSE %(embedding_model)s END,
       content_hmac = CASE WHEN %(keeps_text)s THEN content_hmac ELSE %(content_hmac)s END
WHERE user_id = %(user_id)s AND id = %(id)s AND version = %(version)s
RETURNING {columns};
