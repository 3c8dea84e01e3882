-- name: ensure_conversation
-- The conversation of that name, made at first use.
INSERT INTO conversation (user_id, id, name) VALUES (%(user_id)s, %(id)s, %(name)s)
ON CONFLICT (user_id, name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: insert_message
-- One piece of evidence, sealed.
INSERT INTO message (user_id, id, conversation_id, batch_id, agent_id, run_id, visibility, role, speaker, source_kind,
                     application, title, uri, mime, text, at, timezone, mentioned, trust, standing, embedding,
                     embedding_model, external_id, cited, asks)
VALUES (%(user_id)s, %(id)s, %(conversation_id)s, %(batch_id)s, %(agent_id)s, %(run_id)s, %(visibility)s, %(role)s,
        %(speaker)s, %(source_kind)s, %(application)s, %(title)s, %(uri)s, %(mime)s, %(text)s, %(at)s, %(timezone)s,
        %(mentioned)s, %(trust)s, %(standing)s, %(embedding)s::halfvec, %(embedding_model)s, %(external_id)s,
        %(cited)s::uuid[], %(asks)s);

-- name: insert_frame
-- The picture behind a message.
INSERT INTO frame (user_id, message_id, width, height, file, lines, recogniser, monitor)
VALUES (%(user_id)s, %(message_id)s, %(width)s, %(height)s, %(file)s, %(lines)s, %(recogniser)s, %(monitor)s);

-- name: messages_by_id
-- Some messages, in the order they were said.
SELECT {columns} FROM message WHERE user_id = %(user_id)s AND id = ANY (%(ids)s::uuid[]) ORDER BY position;

-- name: messages_of_batch
-- The messages of a batch, in the order they were said.
SELECT {columns} FROM message WHERE user_id = %(user_id)s AND batch_id = %(batch_id)s ORDER BY position;

-- name: last_before
-- The last messages of a conversation, newest first.
SELECT {columns} FROM message
WHERE user_id = %(user_id)s AND conversation_id = %(conversation_id)s
ORDER BY position DESC LIMIT %(limit)s;

-- name: last_said
-- The same without what is hidden, such as what the assistant recalled: for windows and for sealing.
SELECT {columns} FROM message
WHERE user_id = %(user_id)s AND conversation_id = %(conversation_id)s AND standing <> 'hidden'
ORDER BY position DESC LIMIT %(limit)s;

-- name: set_window
-- The vector of a message with its neighbours; none beside a vector of another embedder, or of none.
UPDATE message SET window_embedding = CASE WHEN embedding IS NOT NULL AND embedding_model = %(embedding_model)s
                                           THEN %(window_embedding)s::halfvec END
WHERE user_id = %(user_id)s AND id = %(id)s;

-- name: count_messages
-- How much evidence there is, and how much of it waits.
SELECT (SELECT count(*) FROM message WHERE user_id = %(user_id)s) AS messages,
       (SELECT count(*) FROM batch WHERE user_id = %(user_id)s AND state IN ('gathering', 'pending', 'running')) AS waiting,
       (SELECT count(*) FROM batch WHERE user_id = %(user_id)s AND state = 'failed') AS failed;
