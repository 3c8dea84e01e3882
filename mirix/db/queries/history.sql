-- name: insert_history
-- One change of one memory.
INSERT INTO memory_history (user_id, operation_id, record_id, kind, operation, before, after, actor, reason, batch_id)
VALUES (%(user_id)s, %(operation_id)s, %(record_id)s, %(kind)s, %(operation)s, %(before)s, %(after)s, %(actor)s,
        %(reason)s, %(batch_id)s);

-- name: history_of
-- All changes of a memory, oldest first.
SELECT seq, operation_id, record_id, kind, operation, before, after, actor, reason, batch_id, undone_by, at
FROM memory_history WHERE user_id = %(user_id)s AND record_id = %(record_id)s ORDER BY seq;

-- name: last_operation
-- The newest change of a memory that has not been taken back.
SELECT operation_id FROM memory_history
WHERE user_id = %(user_id)s AND record_id = %(record_id)s AND operation <> 'undo' AND undone_by IS NULL
ORDER BY seq DESC LIMIT 1;

-- name: rows_of_operation
-- All that changed together, newest first.
SELECT seq, operation_id, record_id, kind, operation, before, after
FROM memory_history WHERE user_id = %(user_id)s AND operation_id = %(operation_id)s ORDER BY seq DESC;

-- name: later_operations
-- Changes to the same memories after an operation, not taken back: they have to be taken back first.
SELECT DISTINCT later.operation_id, later.record_id, later.operation
FROM memory_history AS mine
JOIN memory_history AS later ON later.user_id = mine.user_id AND later.record_id = mine.record_id AND later.seq > mine.seq
WHERE mine.user_id = %(user_id)s AND mine.operation_id = %(operation_id)s
  AND later.operation_id <> mine.operation_id AND later.operation <> 'undo' AND later.undone_by IS NULL;

-- name: mark_undone
-- Remembers that an operation was taken back, and by which undo.
UPDATE memory_history SET undone_by = %(undone_by)s
WHERE user_id = %(user_id)s AND operation_id = %(operation_id)s;
