-- The columns that all six memory tables share, written once. The table itself stays empty: each memory table takes its
-- columns, defaults, checks, comments and indexes with LIKE memory_record INCLUDING ALL.
CREATE TABLE memory_record (
    user_id         integer NOT NULL,
    id              uuid NOT NULL,
    agent_id        text,
    run_id          text,
    visibility      text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'shared')),
    summary         text NOT NULL CHECK (summary <> ''),
    details         text NOT NULL DEFAULT '',
    keywords        text[] NOT NULL DEFAULT '{}',
    tags            text[] NOT NULL DEFAULT '{}',
    metadata        jsonb NOT NULL DEFAULT '{}',
    tree_path       text[] NOT NULL DEFAULT '{}',
    embedding       halfvec,
    embedding_model text,
    occurred_at     timestamptz,
    occurred_until  timestamptz,
    valid_from      timestamptz NOT NULL,
    valid_to        timestamptz,
    superseded_by   uuid,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'superseded', 'archived', 'quarantined')),
    trust           smallint NOT NULL CHECK (trust BETWEEN 1 AND 3),
    source_kind     text NOT NULL CHECK (source_kind IN ('chat', 'screen', 'file', 'web', 'tool', 'user')),
    confidence      real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    pinned          boolean NOT NULL DEFAULT false,
    importance      real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    utility         real NOT NULL DEFAULT 0 CHECK (utility BETWEEN -1 AND 1),
    expires_at      timestamptz,
    content_hmac    bytea NOT NULL,
    version         integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CHECK (occurred_until IS NULL OR occurred_until >= occurred_at),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK (embedding IS NULL OR embedding_model IS NOT NULL)
);

CREATE INDEX ON memory_record (user_id, updated_at DESC, id DESC);
CREATE INDEX ON memory_record (user_id, content_hmac);
CREATE INDEX ON memory_record (user_id, occurred_at) WHERE occurred_at IS NOT NULL;
CREATE INDEX ON memory_record (user_id, embedding_model);
-- From when to when it happened or has held: what a question that names a time looks for. CASE, for row level security
-- takes coalesce to be leaky and would not use the index.
CREATE INDEX ON memory_record (
    user_id,
    (CASE WHEN occurred_until IS NOT NULL THEN occurred_until
          WHEN occurred_at IS NOT NULL THEN occurred_at ELSE valid_from END),
    (CASE WHEN occurred_at IS NOT NULL THEN occurred_at ELSE valid_from END)
);
-- A long text makes room for the vector, not the other way round: an exact scan reads vectors only.
ALTER TABLE memory_record ALTER COLUMN embedding SET STORAGE MAIN;

COMMENT ON COLUMN memory_record.user_id IS 'whose memory it is; row level security compares it with the setting mirix.user_id';
COMMENT ON COLUMN memory_record.id IS 'UUIDv7 made in Python; models see a handle that is valid for one call only';
COMMENT ON COLUMN memory_record.agent_id IS 'the agent it belongs to, where the caller named one';
COMMENT ON COLUMN memory_record.run_id IS 'the run (session, task) it belongs to, where the caller named one';
COMMENT ON COLUMN memory_record.visibility IS 'shared: found by every agent and run of the user; private: only under its own agent_id and run_id';
COMMENT ON COLUMN memory_record.summary IS 'one line, in the language of the evidence';
COMMENT ON COLUMN memory_record.details IS 'the whole, in the language of the evidence';
COMMENT ON COLUMN memory_record.keywords IS 'further words it should be found by, e.g. {password,密码}';
COMMENT ON COLUMN memory_record.tags IS 'labels set by the user or a program; search filters by them';
COMMENT ON COLUMN memory_record.metadata IS 'free data of the caller; never searched';
COMMENT ON COLUMN memory_record.tree_path IS 'place in the tree of the user, outermost first, e.g. {work,projects,atlas}';
COMMENT ON COLUMN memory_record.embedding IS 'unit vector of the searchable text; its width is that of embedding_model';
COMMENT ON COLUMN memory_record.embedding_model IS 'the embedder that was asked last, e.g. minilm; without a vector: it does not read the text';
COMMENT ON COLUMN memory_record.occurred_at IS 'when it happened or will happen; null where time-free';
COMMENT ON COLUMN memory_record.occurred_until IS 'end of the time span, exclusive; null for a point in time';
COMMENT ON COLUMN memory_record.valid_from IS 'since when it holds in the world (not: since when it is known)';
COMMENT ON COLUMN memory_record.valid_to IS 'until when it held, exclusive; null while it holds';
COMMENT ON COLUMN memory_record.superseded_by IS 'id of the memory of the same table that took its place';
COMMENT ON COLUMN memory_record.status IS 'active, superseded (the world changed), archived (deleted or merged, can be undone), quarantined (looks like an instruction)';
COMMENT ON COLUMN memory_record.trust IS '3: typed by the user or their conversation; 2: given by the user, said by others; 1: seen on screen, web or returned by a tool';
COMMENT ON COLUMN memory_record.source_kind IS 'where its evidence came from; user: made by hand';
COMMENT ON COLUMN memory_record.confidence IS '0 to 1, as judged by the manager';
COMMENT ON COLUMN memory_record.pinned IS 'the user wants it ranked first and never merged away';
COMMENT ON COLUMN memory_record.importance IS '0 to 1, for ranking';
COMMENT ON COLUMN memory_record.utility IS '-1 to 1, mean of the votes on it';
COMMENT ON COLUMN memory_record.expires_at IS 'not found any more after this time';
COMMENT ON COLUMN memory_record.content_hmac IS 'keyed digest of the authored content, for de-duplication; a plain digest would betray what is sealed';
COMMENT ON COLUMN memory_record.version IS 'rises by one with each change; an update names the version it read';
COMMENT ON COLUMN memory_record.created_at IS 'when it was filed';
COMMENT ON COLUMN memory_record.updated_at IS 'when it last changed';
