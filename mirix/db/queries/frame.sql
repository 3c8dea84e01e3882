-- name: frame_of
-- The picture behind a message.
SELECT width, height, lines FROM frame WHERE user_id = %(user_id)s AND message_id = %(message_id)s;
