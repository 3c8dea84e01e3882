-- Procedural memory: how something is done: steps, routines, fixes, standing work instructions.
CREATE TABLE procedural_memory (
    LIKE memory_record INCLUDING ALL,
    entry_type    text NOT NULL CHECK (entry_type IN ('workflow', 'guide', 'script', 'rule')),
    steps         jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) > 0),
    success_count integer NOT NULL DEFAULT 0 CHECK (success_count >= 0),
    failure_count integer NOT NULL DEFAULT 0 CHECK (failure_count >= 0),
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE
);

COMMENT ON TABLE procedural_memory IS 'how something is done, step by step';
COMMENT ON COLUMN procedural_memory.entry_type IS 'workflow, guide, script or rule';
COMMENT ON COLUMN procedural_memory.steps IS 'the steps in their order, a list of texts';
COMMENT ON COLUMN procedural_memory.success_count IS 'how often following it was reported to work';
COMMENT ON COLUMN procedural_memory.failure_count IS 'how often following it was reported to fail';
