-- name: count_outcome
-- Following it worked, or did not.
UPDATE procedural_memory SET success_count = success_count + %(worked)s::integer,
                             failure_count = failure_count + (NOT %(worked)s)::integer
WHERE user_id = %(user_id)s AND id = %(id)s RETURNING success_count, failure_count;
