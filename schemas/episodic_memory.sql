-- Episodic memory: what happened or is planned, with a time.
CREATE TABLE episodic_memory (
    LIKE memory_record INCLUDING ALL,
    event_type text NOT NULL DEFAULT 'event' CHECK (event_type <> ''),
    actor      text NOT NULL DEFAULT 'user' CHECK (actor <> ''),
    outcome    text,
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE,
    CHECK (occurred_at IS NOT NULL)
);

COMMENT ON TABLE episodic_memory IS 'what happened or is planned, with a time';
COMMENT ON COLUMN episodic_memory.event_type IS 'e.g. meeting, trip, purchase, appointment, conversation';
COMMENT ON COLUMN episodic_memory.actor IS 'who did it: user, assistant or a name';
COMMENT ON COLUMN episodic_memory.outcome IS 'how it ended, where that is known';
