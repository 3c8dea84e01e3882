-- name: related
-- All lines of all blocks, in the order they are read: the manager has to see a block whole.
SELECT {columns} FROM core_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
ORDER BY label, position, id;
