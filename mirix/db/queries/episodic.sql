-- name: events_between
-- What happened or is planned in a span of time, in its order.
SELECT {columns} FROM episodic_memory
WHERE user_id = %(user_id)s AND status = 'active'
  AND occurred_at < %(until)s AND coalesce(occurred_until, occurred_at) >= %(since)s
ORDER BY occurred_at, id LIMIT %(limit)s;
