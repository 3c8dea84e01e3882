-- What a turn of a conversation needs to know of the rows before it, and of what it wants forgotten.

-- name: recent
-- The last turns of a conversation, newest first.
SELECT {columns} FROM message
WHERE user_id = %(user_id)s AND conversation_id = (
    SELECT id FROM conversation WHERE user_id = %(user_id)s AND name = %(name)s
)
ORDER BY position DESC LIMIT %(limit)s;

-- name: take_questions
-- Whatever was asked in a conversation is answered by the turn that comes now, and by one process only.
UPDATE message SET asks = false
WHERE user_id = %(user_id)s AND asks AND conversation_id = (
    SELECT id FROM conversation WHERE user_id = %(user_id)s AND name = %(name)s
)
RETURNING id;

-- name: holding
-- Messages and memories, of whatever standing, in which all of some terms stand, oldest first. No terms: everything.
SELECT record_id, shelf FROM document
WHERE user_id = %(user_id)s AND terms @> %(terms)s::integer[]
ORDER BY doc;
