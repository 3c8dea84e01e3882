-- Core memory: who the user is and how the assistant should behave. One row is one line; a block is the rendered view
-- of all active lines of a label, and is always in the prompt. The summary is the line, details stay empty.
CREATE TABLE core_memory (
    LIKE memory_record INCLUDING ALL,
    label    text NOT NULL CHECK (label <> ''),
    position integer NOT NULL DEFAULT 0,
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE
);

CREATE INDEX ON core_memory (user_id, label, position, id) WHERE status = 'active';

COMMENT ON TABLE core_memory IS 'lines that are always in the prompt: who the user is, how the assistant should behave';
COMMENT ON COLUMN core_memory.label IS 'the block: human (facts on the user), persona (manner of the assistant) or a name of the user''s own';
COMMENT ON COLUMN core_memory.position IS 'order within the block, ascending; equal positions stand in order of arrival';
