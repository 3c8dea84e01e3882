-- Recalled answers, values that are no secrets, and what the audit notes of them.
ALTER TABLE message ADD COLUMN cited uuid[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN message.cited IS 'an answer of the assistant: the memories and messages it cites; recalled text is no evidence of anything';
ALTER TABLE message ADD COLUMN asks boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN message.asks IS 'the assistant asks whether to forget what it cites; a yes that follows at once does it';
COMMENT ON COLUMN message.standing IS 'derived: outdated where a memory resting on it was superseded; hidden where such a memory was deleted or corrected by the user and no other rests on it, and for what the assistant only recalled';

CREATE TABLE harmless_value (
    user_id    integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    digest     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, digest)
);
COMMENT ON TABLE harmless_value IS 'values the user has unsealed: false alarms, not sealed again';
COMMENT ON COLUMN harmless_value.digest IS 'keyed digest of the value, as knowledge_vault.content_hmac';
ALTER TABLE harmless_value ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON harmless_value TO mirix_app
    USING (user_id = (SELECT nullif(current_setting('mirix.user_id', true), '')::integer))
    WITH CHECK (user_id = (SELECT nullif(current_setting('mirix.user_id', true), '')::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON harmless_value TO mirix_app;

ALTER TABLE audit DROP CONSTRAINT audit_action_check;
ALTER TABLE audit ADD CONSTRAINT audit_action_check
    CHECK (action IN ('reveal', 'export', 'forget', 'seal', 'unseal'));
COMMENT ON TABLE audit IS 'vault reveals, seals and unseals by hand, exports and forgets; never a value';

-- A row that an embedder does not read is marked with its name all the same, and not asked about again.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['message', 'memory_record', 'core_memory', 'episodic_memory', 'semantic_memory',
                                'procedural_memory', 'resource_memory', 'knowledge_vault']
    LOOP
        EXECUTE format(
            'ALTER TABLE %I DROP CONSTRAINT %2$I, '
            'ADD CONSTRAINT %2$I CHECK (embedding IS NULL OR embedding_model IS NOT NULL)',
            name, CASE name WHEN 'message' THEN 'message_check' ELSE 'memory_record_check2' END);
        EXECUTE format('CREATE INDEX ON %I (user_id, embedding_model) %s', name,
                       CASE name WHEN 'message' THEN 'WHERE standing <> ''hidden''' ELSE '' END);
        EXECUTE format(
            'COMMENT ON COLUMN %I.embedding_model IS ''the embedder that was asked last, e.g. minilm; '
            'without a vector: it does not read the text''', name);
    END LOOP;
END
$$;
-- What a question that names a time looks for, and vectors beside the row: see schemas/record.sql and system.sql.
CREATE INDEX ON message (user_id) WHERE mentioned <> '{}';
ALTER TABLE message ALTER COLUMN embedding SET STORAGE MAIN, ALTER COLUMN window_embedding SET STORAGE MAIN;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['memory_record', 'core_memory', 'episodic_memory', 'semantic_memory',
                                'procedural_memory', 'resource_memory', 'knowledge_vault']
    LOOP
        EXECUTE format(
            'CREATE INDEX ON %I (user_id, '
            '(CASE WHEN occurred_until IS NOT NULL THEN occurred_until '
            'WHEN occurred_at IS NOT NULL THEN occurred_at ELSE valid_from END), '
            '(CASE WHEN occurred_at IS NOT NULL THEN occurred_at ELSE valid_from END))', name);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN embedding SET STORAGE MAIN', name);
    END LOOP;
END
$$;
-- Such windows were made when the embedder changed in the middle of a conversation.
UPDATE message SET window_embedding = NULL
WHERE window_embedding IS NOT NULL
  AND (embedding IS NULL OR vector_dims(window_embedding) <> vector_dims(embedding));
COMMENT ON COLUMN message.window_embedding IS 'unit vector of the text together with its two neighbours, by the same embedder';

CREATE TABLE forgotten_user (
    user_id  integer PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    memories integer NOT NULL,
    messages integer NOT NULL,
    pictures integer NOT NULL
);
COMMENT ON TABLE forgotten_user IS 'that somebody was forgotten: when, and how much it was; never who';
ALTER TABLE forgotten_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON forgotten_user TO mirix_app
    USING (user_id = (SELECT nullif(current_setting('mirix.user_id', true), '')::integer))
    WITH CHECK (user_id = (SELECT nullif(current_setting('mirix.user_id', true), '')::integer));
GRANT SELECT ON forgotten_user TO mirix_app;

-- Forgets the user of the transaction, and nobody else: the application role may delete no row of app_user itself.
CREATE FUNCTION forget_user(memories integer, messages integer, pictures integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    own integer := nullif(current_setting('mirix.user_id', true), '')::integer;
BEGIN
    IF own IS NULL THEN
        RAISE EXCEPTION 'this transaction is no user''s';
    END IF;
    DELETE FROM app_user WHERE user_id = own;
    DELETE FROM procrastinate_jobs WHERE lock = 'user:' || own AND status = 'todo';
    INSERT INTO forgotten_user VALUES (own, now(), memories, messages, pictures);
END
$$;
REVOKE ALL ON FUNCTION forget_user(integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_user(integer, integer, integer) TO mirix_app;
