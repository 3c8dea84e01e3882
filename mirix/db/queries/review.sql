-- What waits for the user: operations that trust did not allow, and memories that read like an order to the assistant.

-- name: insert_proposal
-- An operation that waits for the user.
INSERT INTO proposal (user_id, id, batch_id, kind, operation, reason)
VALUES (%(user_id)s, %(id)s, %(batch_id)s, %(kind)s, %(operation)s, %(reason)s);

-- name: proposals_like
-- Operations of a kind that wait, or that the user has rejected.
SELECT id, batch_id, kind, operation, reason, state, created_at FROM proposal
WHERE user_id = %(user_id)s AND kind = %(kind)s AND operation->>'verb' = %(verb)s AND state <> 'accepted'
ORDER BY id;

-- name: list_proposals
-- Operations in some states, oldest first.
SELECT id, batch_id, kind, operation, reason, state, created_at FROM proposal
WHERE user_id = %(user_id)s AND state = ANY (%(states)s::text[])
ORDER BY id;

-- name: get_proposal
-- One of them.
SELECT id, batch_id, kind, operation, reason, state, created_at FROM proposal
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: lock_proposal
-- Its state, held until it is decided.
SELECT state FROM proposal WHERE user_id = %(user_id)s AND id = %(id)s FOR UPDATE;

-- name: set_state
-- The user has decided.
UPDATE proposal SET state = %(state)s WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: changed_since
-- Memories that changed after a time, and not back: an undo takes only those changes away that came after it as well.
SELECT DISTINCT h.record_id, h.operation FROM memory_history AS h
WHERE h.user_id = %(user_id)s AND h.record_id = ANY (%(record_ids)s::uuid[]) AND h.at > %(since)s AND h.undone_by IS NULL
  AND NOT (h.operation = 'undo' AND EXISTS (
      SELECT FROM memory_history AS o
      WHERE o.user_id = h.user_id AND o.record_id = h.record_id AND o.undone_by = h.operation_id AND o.at > %(since)s));

-- name: count_open
-- How many operations wait.
SELECT count(*) AS count FROM proposal WHERE user_id = %(user_id)s AND state = 'open';

-- name: count_quarantined
-- How many memories of one table are in quarantine.
SELECT count(*) AS count FROM {table} WHERE user_id = %(user_id)s AND status = 'quarantined';

-- name: first_reason
-- Why a memory came in as it did.
SELECT reason FROM memory_history
WHERE user_id = %(user_id)s AND record_id = %(record_id)s ORDER BY seq LIMIT 1;
