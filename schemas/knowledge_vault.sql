-- Knowledge vault: exact values to keep verbatim and protected. Only the caption (the summary) is searchable; the value
-- is sealed with a data key of its own, and that key with the key of the database.
CREATE TABLE knowledge_vault (
    LIKE memory_record INCLUDING ALL,
    reference      text NOT NULL CHECK (reference ~ '^[a-z0-9]{4,12}$'),
    entry_type     text NOT NULL CHECK (entry_type IN ('credential', 'api_key', 'contact_info', 'bookmark', 'account', 'other')),
    sensitivity    text NOT NULL CHECK (sensitivity IN ('low', 'medium', 'high')),
    ciphertext     bytea NOT NULL,
    nonce          bytea NOT NULL,
    wrapped_key    bytea NOT NULL,
    format_version smallint NOT NULL,
    key_id         text NOT NULL,
    value_version  integer NOT NULL,
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE,
    UNIQUE (user_id, reference)
);

COMMENT ON TABLE knowledge_vault IS 'exact values, sealed: passwords, codes, keys, numbers, addresses, links; the summary is the caption';
COMMENT ON COLUMN knowledge_vault.reference IS 'how texts name it: {{vault:k7q2}}';
COMMENT ON COLUMN knowledge_vault.entry_type IS 'credential, api_key, contact_info, bookmark, account or other';
COMMENT ON COLUMN knowledge_vault.sensitivity IS 'high: the value is cut from all text; low and medium: it also stands in the evidence';
COMMENT ON COLUMN knowledge_vault.ciphertext IS 'AES-256-GCM of the value under its data key';
COMMENT ON COLUMN knowledge_vault.nonce IS '96 random bits';
COMMENT ON COLUMN knowledge_vault.wrapped_key IS 'the data key under the key of the database';
COMMENT ON COLUMN knowledge_vault.format_version IS 'version of the envelope';
COMMENT ON COLUMN knowledge_vault.key_id IS 'short digest of the key of the database that wraps the data key';
COMMENT ON COLUMN knowledge_vault.value_version IS 'version of the row at which the value was sealed; bound into the seal';
