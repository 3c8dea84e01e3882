-- name: active_lines
-- All lines of all blocks in the order they are read.
SELECT {columns} FROM core_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (expires_at IS NULL OR expires_at > now())
  AND (%(agent_id)s::text IS NULL OR agent_id IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(as_of)s::timestamptz IS NULL OR valid_from <= %(as_of)s)
ORDER BY label, position, id;
