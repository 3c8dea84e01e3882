-- name: related
-- What is known under the names that stand in the evidence, the longest names first.
SELECT {columns} FROM semantic_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s OR visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s OR visibility = 'shared')
  AND length(name) > 1 AND strpos(lower(%(text)s), lower(name)) > 0
ORDER BY length(name) DESC, id LIMIT %(limit)s;
