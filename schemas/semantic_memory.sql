-- Semantic memory: time-free knowledge that is new: people, places, projects, words used in a special sense.
CREATE TABLE semantic_memory (
    LIKE memory_record INCLUDING ALL,
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('person', 'place', 'concept', 'project', 'preference', 'insight')),
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE
);

CREATE INDEX ON semantic_memory (user_id, lower(name)) WHERE status = 'active';

COMMENT ON TABLE semantic_memory IS 'time-free knowledge: people, places, concepts, projects';
COMMENT ON COLUMN semantic_memory.name IS 'what or whom it is about, e.g. Atlas or Oda Lie';
COMMENT ON COLUMN semantic_memory.kind IS 'person, place, concept, project, preference or insight';
