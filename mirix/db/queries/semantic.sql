-- name: by_name
-- What is known under a name, whatever its case.
SELECT {columns} FROM semantic_memory
WHERE user_id = %(user_id)s AND lower(name) = ANY (%(names)s::text[]) AND status = 'active' ORDER BY id;
