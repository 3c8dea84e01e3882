-- name: by_uri
-- The document that came from a place.
SELECT {columns} FROM resource_memory WHERE user_id = %(user_id)s AND uri = %(uri)s AND status = 'active' ORDER BY id;
