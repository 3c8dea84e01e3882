-- When the times begin and end that a message speaks of, for an index to find.
ALTER TABLE message
    ADD COLUMN mentioned_from timestamptz GENERATED ALWAYS AS (
        CASE WHEN lower_inf(mentioned) THEN '-infinity'::timestamptz ELSE lower(mentioned) END) STORED,
    ADD COLUMN mentioned_until timestamptz GENERATED ALWAYS AS (
        CASE WHEN upper_inf(mentioned) THEN 'infinity'::timestamptz ELSE upper(mentioned) END) STORED;
DROP INDEX message_user_id_idx;
CREATE INDEX ON message (user_id, mentioned_from, mentioned_until) WHERE mentioned_from IS NOT NULL;
COMMENT ON COLUMN message.mentioned_from IS 'where mentioned begins; null where it is empty. A column, for no index on a function of a range is used under row level security';
COMMENT ON COLUMN message.mentioned_until IS 'where mentioned ends, exclusive';
