-- name: related
-- The documents that came from the places the evidence came from: a newer version, or its next part.
SELECT {columns} FROM resource_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
  AND uri = ANY (%(uris)s::text[])
ORDER BY updated_at DESC, id DESC LIMIT %(limit)s;
