-- name: list_conversations
-- Conversations that hold messages, the one spoken in last first, each with the words it opens with.
SELECT c.id, c.name, run.messages, run.first_at, run.last_at,
       (SELECT left(m.text, 400) FROM message AS m
        WHERE m.user_id = c.user_id AND m.conversation_id = c.id ORDER BY m.position LIMIT 1) AS opening
FROM conversation AS c
JOIN (
    SELECT conversation_id, count(*) AS messages, min(at) AS first_at, max(at) AS last_at, max(position) AS last
    FROM message WHERE user_id = %(user_id)s GROUP BY conversation_id
) AS run ON run.conversation_id = c.id
WHERE c.user_id = %(user_id)s
ORDER BY run.last_at DESC, run.last DESC;

-- name: find_conversation
-- A conversation by name.
SELECT id FROM conversation WHERE user_id = %(user_id)s AND name = %(name)s;

-- name: message_ids
-- All messages of a conversation.
SELECT id FROM message WHERE user_id = %(user_id)s AND conversation_id = %(conversation_id)s;
