-- name: insert_batch
-- A unit of ingest work; nothing when the same was added before.
INSERT INTO batch (user_id, id, idempotency_key, conversation_id, trust, state, applied_at)
VALUES (%(user_id)s, %(id)s, %(idempotency_key)s, %(conversation_id)s, %(trust)s,
        %(state)s, CASE WHEN %(state)s = 'applied' THEN now() END)
ON CONFLICT (user_id, idempotency_key) DO NOTHING
RETURNING id;

-- name: gathering_batch
-- The batch that takes more screens of a program: not full, begun a short while before, of the same trust.
SELECT b.id FROM batch AS b
WHERE b.user_id = %(user_id)s AND b.conversation_id = %(conversation_id)s AND b.state = 'gathering'
  AND b.trust = %(trust)s
  AND (SELECT count(*) < %(most)s AND min(m.at) > %(at)s - %(longest)s
              AND bool_and(m.application IS NOT DISTINCT FROM %(application)s)
       FROM message AS m WHERE m.user_id = b.user_id AND m.batch_id = b.id)
FOR UPDATE;

-- name: end_gathering
-- What gathered is handed to the managers.
UPDATE batch SET state = 'pending' WHERE user_id = %(user_id)s AND state = 'gathering'
RETURNING id;

-- name: find_batch
-- The batch that was added under a key.
SELECT id, state FROM batch WHERE user_id = %(user_id)s AND idempotency_key = %(idempotency_key)s;

-- name: is_overtaken
-- Whether something that a batch taught has been superseded since: then saying it again is news. What only repeats
-- memory taught nothing.
SELECT EXISTS (
    SELECT FROM batch AS b
    JOIN message AS m ON m.user_id = b.user_id AND m.batch_id = b.id
    WHERE b.user_id = %(user_id)s AND b.idempotency_key = %(idempotency_key)s AND m.standing <> 'current'
      AND m.cited = '{}'
) AS overtaken;

-- name: outcomes_of
-- What became of some batches.
SELECT b.id, b.state, b.error, b.changes, b.problems, b.routes, b.usage,
       (SELECT count(*) FROM proposal AS p WHERE p.user_id = b.user_id AND p.batch_id = b.id) AS proposals
FROM batch AS b WHERE b.user_id = %(user_id)s AND b.id = ANY (%(ids)s::uuid[]);

-- name: lease_next
-- The oldest open batch of the user, taken for a while; a running one is taken over when its lease has run out.
-- Batches are worked on in order: while an older one is being worked on, nobody gets a younger one.
UPDATE batch SET state = 'running', attempt = attempt + 1, lease_until = now() + %(lease)s
WHERE user_id = %(user_id)s AND id = (
    SELECT id FROM batch
    WHERE user_id = %(user_id)s AND (state IN ('pending', 'running')
                                     OR (state = 'gathering' AND created_at < now() - interval '5 minutes'))
    ORDER BY position LIMIT 1 FOR UPDATE
) AND (state <> 'running' OR lease_until < now())
RETURNING {columns};

-- name: lock_batch
-- The batch, held while it is applied.
SELECT state, attempt FROM batch WHERE user_id = %(user_id)s AND id = %(id)s FOR UPDATE;

-- name: store_reply
-- Keeps what a model answered in a step, so that a retry need not ask again; nothing when the lease was lost.
UPDATE batch SET replies = replies || %(reply)s, lease_until = now() + %(lease)s
WHERE user_id = %(user_id)s AND id = %(id)s AND state = 'running' AND attempt = %(attempt)s;

-- name: drop_replies
-- Forgets the answers of some steps: what they were based on has changed, or they cannot be used.
UPDATE batch SET replies = replies - %(steps)s::text[]
WHERE user_id = %(user_id)s AND id = %(id)s AND state = 'running' AND attempt = %(attempt)s;

-- name: finish_batch
-- The batch is applied, together with what it changed.
UPDATE batch SET state = 'applied', changes = %(changes)s, problems = %(problems)s, routes = %(routes)s,
                 usage = %(usage)s, error = NULL, lease_until = NULL, applied_at = now()
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: release_batch
-- The attempt failed: the batch waits for the next one, or is given up. Nothing when the lease was lost.
UPDATE batch SET state = %(state)s, error = %(error)s, attempt = attempt - %(given_back)s, lease_until = NULL
WHERE user_id = %(user_id)s AND id = %(id)s AND state = 'running' AND attempt = %(attempt)s;

-- name: retry_failed
-- Failed batches are tried again.
UPDATE batch SET state = 'pending', attempt = 0, error = NULL WHERE user_id = %(user_id)s AND state = 'failed';

-- name: wake_worker
-- Tells a worker, once this transaction is committed, that the user has work.
SELECT wake_worker(%(user_id)s);
