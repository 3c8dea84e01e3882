-- name: related
-- Events at the times that the evidence speaks of, the latest first: an appointment that is moved, a trip that is over.
SELECT {columns} FROM episodic_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
  AND tstzrange(occurred_at, coalesce(occurred_until, occurred_at), '[]') && %(mentioned)s::tstzmultirange
ORDER BY updated_at DESC, id DESC LIMIT %(limit)s;
