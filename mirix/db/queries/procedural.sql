-- name: related
-- The procedures that changed last: what is said next often adds a step, or tells how it went.
SELECT {columns} FROM procedural_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
ORDER BY updated_at DESC, id DESC LIMIT 2;
