-- Recalled answers, values that are no secrets, and what the audit notes of them.
ALTER TABLE message ADD COLUMN cited uuid[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN message.cited IS 'an answer of the assistant: the memories and messages it cites; recalled text is no evidence of anything';

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
