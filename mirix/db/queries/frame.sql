-- name: frame_of
-- The picture behind a message.
SELECT width, height, lines FROM frame WHERE user_id = %(user_id)s AND message_id = %(message_id)s;

-- name: screens_between
-- What was seen on screens in a time.
SELECT id FROM message
WHERE user_id = %(user_id)s AND source_kind = 'screen' AND at >= %(since)s AND at < %(until)s
ORDER BY at;

-- name: newest_frame
-- The screen that was recorded last, and since when it can be found.
SELECT m.at, m.created_at FROM message AS m JOIN frame AS f ON f.user_id = m.user_id AND f.message_id = m.id
WHERE m.user_id = %(user_id)s AND f.monitor IS NOT NULL
ORDER BY m.at DESC LIMIT 1;

-- name: frames_of
-- The pictures among some messages, and what was recognised in them.
SELECT f.message_id, m.application, m.title, m.at, f.width, f.height, f.lines
FROM frame AS f
JOIN message AS m ON m.user_id = f.user_id AND m.id = f.message_id
WHERE f.user_id = %(user_id)s AND f.message_id = ANY(%(message_ids)s);
