-- System tables: users, raw evidence, the search index, batches of ingest work, and what connects memories with it all.
-- Loaded after the extension and before schemas/*.sql; mirix/db/security.sql comes last.

CREATE TABLE schema_version (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_version IS 'the migrations that ran here';

CREATE TABLE app_user (
    user_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> '' AND length(name) <= 200),
    timezone   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE app_user IS 'everyone who has memories here';
COMMENT ON COLUMN app_user.user_id IS 'short key that leads every other key';
COMMENT ON COLUMN app_user.name IS 'the user_id of the API, e.g. default or anna';
COMMENT ON COLUMN app_user.timezone IS 'IANA name; relative dates are resolved in it where the input names none';

CREATE TABLE conversation (
    user_id    integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    id         uuid NOT NULL,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, name)
);
COMMENT ON TABLE conversation IS 'an ordered run of messages: a chat, a session, an imported thread';
COMMENT ON COLUMN conversation.name IS 'what the caller calls it; default where none was given';

CREATE TABLE batch (
    user_id         integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    id              uuid NOT NULL,
    position        bigint GENERATED ALWAYS AS IDENTITY,
    idempotency_key bytea NOT NULL,
    conversation_id uuid NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('gathering', 'pending', 'running', 'applied', 'failed')),
    trust           smallint NOT NULL CHECK (trust BETWEEN 1 AND 3),
    attempt         integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    lease_until     timestamptz,
    replies         jsonb NOT NULL DEFAULT '{}',
    changes         jsonb NOT NULL DEFAULT '[]',
    problems        jsonb NOT NULL DEFAULT '[]',
    routes          jsonb NOT NULL DEFAULT '{}',
    usage           jsonb NOT NULL DEFAULT '{}',
    error           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    applied_at      timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, idempotency_key),
    FOREIGN KEY (user_id, conversation_id) REFERENCES conversation (user_id, id) ON DELETE CASCADE
);
CREATE INDEX ON batch (user_id, position) WHERE state <> 'applied';
COMMENT ON TABLE batch IS 'a unit of ingest work, and its only state machine';
COMMENT ON COLUMN batch.position IS 'order of arrival; batches of a user are applied in it';
COMMENT ON COLUMN batch.idempotency_key IS 'keyed digest of what was added (or of the key the caller gave): the same again changes nothing';
COMMENT ON COLUMN batch.state IS 'gathering (more screens may join it for some minutes), pending, running (leased), applied, failed (no attempt left)';
COMMENT ON COLUMN batch.trust IS 'one level for all its messages';
COMMENT ON COLUMN batch.lease_until IS 'a running batch whose lease has run out may be taken over';
COMMENT ON COLUMN batch.replies IS 'model replies by step with the handles they name, so that a retry replays them instead of paying again';
COMMENT ON COLUMN batch.changes IS 'what was applied: operation, memory kind and id of each';
COMMENT ON COLUMN batch.problems IS 'operations that were refused, with the reason';
COMMENT ON COLUMN batch.routes IS 'operations proposed, by memory kind';
COMMENT ON COLUMN batch.usage IS 'model calls, tokens in and out, milliseconds';
COMMENT ON COLUMN batch.error IS 'why the last attempt failed';

CREATE TABLE message (
    user_id          integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    id               uuid NOT NULL,
    conversation_id  uuid NOT NULL,
    batch_id         uuid NOT NULL,
    position         bigint GENERATED ALWAYS AS IDENTITY,
    agent_id         text,
    run_id           text,
    visibility       text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'shared')),
    role             text NOT NULL CHECK (role IN ('user', 'assistant', 'tool')),
    speaker          text NOT NULL,
    source_kind      text NOT NULL CHECK (source_kind IN ('chat', 'screen', 'file', 'web', 'tool')),
    application      text,
    title            text,
    uri              text,
    mime             text NOT NULL DEFAULT 'text/plain',
    text             text NOT NULL,
    at               timestamptz NOT NULL,
    timezone         text NOT NULL,
    mentioned        tstzmultirange NOT NULL DEFAULT '{}',
    trust            smallint NOT NULL CHECK (trust BETWEEN 1 AND 3),
    standing         text NOT NULL DEFAULT 'current' CHECK (standing IN ('current', 'outdated', 'hidden')),
    embedding        halfvec,
    window_embedding halfvec,
    embedding_model  text,
    external_id      text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    cited            uuid[] NOT NULL DEFAULT '{}',
    asks             boolean NOT NULL DEFAULT false,
    mentioned_from   timestamptz GENERATED ALWAYS AS (
        CASE WHEN lower_inf(mentioned) THEN '-infinity'::timestamptz ELSE lower(mentioned) END) STORED,
    mentioned_until  timestamptz GENERATED ALWAYS AS (
        CASE WHEN upper_inf(mentioned) THEN 'infinity'::timestamptz ELSE upper(mentioned) END) STORED,
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, conversation_id) REFERENCES conversation (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, batch_id) REFERENCES batch (user_id, id) ON DELETE CASCADE,
    CHECK (embedding IS NULL OR embedding_model IS NOT NULL)
);
CREATE INDEX ON message (user_id, conversation_id, position);
CREATE INDEX ON message (user_id, batch_id);
CREATE INDEX ON message (user_id, at);
CREATE INDEX ON message (user_id, speaker);
CREATE INDEX ON message (user_id, embedding_model) WHERE standing <> 'hidden';
CREATE INDEX ON message (user_id, mentioned_from, mentioned_until) WHERE mentioned_from IS NOT NULL;
-- A long text makes room for the vectors, not the other way round: an exact scan reads vectors only.
ALTER TABLE message ALTER COLUMN embedding SET STORAGE MAIN, ALTER COLUMN window_embedding SET STORAGE MAIN;
COMMENT ON TABLE message IS 'raw evidence: every turn, text or frame, sealed, never edited but by redaction';
COMMENT ON COLUMN message.position IS 'order within the conversation';
COMMENT ON COLUMN message.role IS 'user, assistant or tool';
COMMENT ON COLUMN message.speaker IS 'who said or wrote it, as the caller named them';
COMMENT ON COLUMN message.source_kind IS 'chat, screen, file, web or tool';
COMMENT ON COLUMN message.application IS 'program on the screen, for frames';
COMMENT ON COLUMN message.title IS 'window or file title';
COMMENT ON COLUMN message.at IS 'when it was said or seen';
COMMENT ON COLUMN message.timezone IS 'IANA name of the place where it was said; relative dates were resolved in it';
COMMENT ON COLUMN message.mentioned IS 'the times its text speaks of, resolved';
COMMENT ON COLUMN message.mentioned_from IS 'where mentioned begins; null where it is empty. A column, for no index on a function of a range is used under row level security';
COMMENT ON COLUMN message.mentioned_until IS 'where mentioned ends, exclusive';
COMMENT ON COLUMN message.trust IS '3: the user or their conversation; 2: given by the user, said by others; 1: screen, web, tool';
COMMENT ON COLUMN message.standing IS 'derived: outdated where a memory resting on it was superseded; hidden where such a memory was deleted or corrected by the user and no other rests on it, and for what the assistant only recalled';
COMMENT ON COLUMN message.embedding IS 'unit vector of the text without the names of its speakers';
COMMENT ON COLUMN message.window_embedding IS 'unit vector of the text together with its two neighbours, by the same embedder';
COMMENT ON COLUMN message.embedding_model IS 'the embedder that was asked last, e.g. minilm; without a vector: it does not read the text';
COMMENT ON COLUMN message.external_id IS 'the id it had where it came from, e.g. D3:12';
COMMENT ON COLUMN message.cited IS 'an answer of the assistant: the memories and messages it cites; recalled text is no evidence of anything';
COMMENT ON COLUMN message.asks IS 'the assistant asks whether to forget what it cites; a yes that follows at once does it';

CREATE TABLE frame (
    user_id     integer NOT NULL,
    message_id  uuid NOT NULL,
    width       integer NOT NULL CHECK (width > 0),
    height      integer NOT NULL CHECK (height > 0),
    file        text NOT NULL,
    lines       jsonb NOT NULL DEFAULT '[]',
    recogniser  text,
    monitor     text,
    PRIMARY KEY (user_id, message_id),
    FOREIGN KEY (user_id, message_id) REFERENCES message (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE frame IS 'a kept picture; its text is the message';
COMMENT ON COLUMN frame.file IS 'name of the encrypted WebP file under the data folder';
COMMENT ON COLUMN frame.lines IS 'recognised lines, sealed: text, box (left, top, right, bottom in pixels), confidence';
COMMENT ON COLUMN frame.recogniser IS 'what read the text, e.g. tesseract or rapidocr';
COMMENT ON COLUMN frame.monitor IS 'the screen it was taken of, as the window system names it; null where a picture was handed in';

CREATE TABLE document (
    user_id   integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    doc       integer GENERATED ALWAYS AS IDENTITY,
    shelf     smallint NOT NULL,
    record_id uuid NOT NULL,
    length    smallint NOT NULL CHECK (length >= 0),
    terms     integer[] NOT NULL,
    analyser  smallint NOT NULL,
    PRIMARY KEY (user_id, doc),
    UNIQUE (user_id, record_id)
);
CREATE INDEX document_shelf ON document (user_id, shelf) INCLUDE (length);
COMMENT ON TABLE document IS 'one row for each searchable thing, message or memory; what postings, sources and links point at';
COMMENT ON COLUMN document.doc IS 'short number of the thing';
COMMENT ON COLUMN document.shelf IS 'kind x standing: 3 * kind (0 message, 1 core, 2 episodic, 3 semantic, 4 procedural, 5 resource, 6 vault) + 0 current, 1 outdated, 2 hidden';
COMMENT ON COLUMN document.record_id IS 'id of the message or memory';
COMMENT ON COLUMN document.length IS 'tokens, capped at 32767';
COMMENT ON COLUMN document.terms IS 'its distinct terms, so that its postings are found without a scan';
COMMENT ON COLUMN document.analyser IS 'version of the analyser that cut the terms';

CREATE TABLE posting (
    user_id integer NOT NULL,
    term    integer NOT NULL,
    doc     integer NOT NULL,
    shelf   smallint NOT NULL,
    tf      smallint NOT NULL CHECK (tf > 0),
    length  smallint NOT NULL,
    PRIMARY KEY (user_id, shelf, term, doc) INCLUDE (tf, length),
    FOREIGN KEY (user_id, doc) REFERENCES document (user_id, doc) ON DELETE CASCADE
);
ALTER TABLE posting SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE posting IS 'inverted index: how often a term stands in a document, with all that BM25 needs beside it';
COMMENT ON COLUMN posting.term IS '32-bit digest of the token';
COMMENT ON COLUMN posting.shelf IS 'copy of document.shelf, so that filters by kind and standing come before the limit';
COMMENT ON COLUMN posting.tf IS 'occurrences, capped at 32767';
COMMENT ON COLUMN posting.length IS 'copy of document.length';

CREATE TABLE memory_source (
    user_id    integer NOT NULL,
    doc        integer NOT NULL,
    source_doc integer NOT NULL,
    stands     boolean NOT NULL DEFAULT true,
    PRIMARY KEY (user_id, doc, source_doc),
    FOREIGN KEY (user_id, doc) REFERENCES document (user_id, doc) ON DELETE CASCADE,
    FOREIGN KEY (user_id, source_doc) REFERENCES document (user_id, doc) ON DELETE CASCADE
);
CREATE INDEX ON memory_source (user_id, source_doc);
COMMENT ON TABLE memory_source IS 'which messages a memory rests on';
COMMENT ON COLUMN memory_source.doc IS 'the memory';
COMMENT ON COLUMN memory_source.source_doc IS 'the message';
COMMENT ON COLUMN memory_source.stands IS 'false once the user has corrected the memory: the message says something else';

CREATE TABLE memory_link (
    user_id  integer NOT NULL,
    from_doc integer NOT NULL,
    to_doc   integer NOT NULL,
    relation text NOT NULL CHECK (relation IN
        ('related', 'supports', 'contradicts', 'supersedes', 'merged_into', 'part_of', 'follows', 'causes', 'mentions')),
    PRIMARY KEY (user_id, from_doc, to_doc, relation),
    FOREIGN KEY (user_id, from_doc) REFERENCES document (user_id, doc) ON DELETE CASCADE,
    FOREIGN KEY (user_id, to_doc) REFERENCES document (user_id, doc) ON DELETE CASCADE
);
CREATE INDEX ON memory_link (user_id, to_doc);
COMMENT ON TABLE memory_link IS 'memory to memory';

CREATE TABLE memory_history (
    user_id      integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    operation_id uuid NOT NULL,
    record_id    uuid NOT NULL,
    kind         text NOT NULL,
    operation    text NOT NULL CHECK (operation IN ('insert', 'update', 'supersede', 'merge', 'delete', 'undo')),
    before       jsonb,
    after        jsonb,
    actor        text NOT NULL,
    reason       text,
    batch_id     uuid,
    undone_by    uuid,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, seq)
);
CREATE INDEX ON memory_history (user_id, record_id, seq);
CREATE INDEX ON memory_history (user_id, operation_id);
COMMENT ON TABLE memory_history IS 'append-only (but for redaction): every change of every memory';
COMMENT ON COLUMN memory_history.operation_id IS 'rows that changed together; undo takes them back together';
COMMENT ON COLUMN memory_history.before IS 'authored columns before; null for a new memory';
COMMENT ON COLUMN memory_history.after IS 'authored columns after';
COMMENT ON COLUMN memory_history.actor IS 'user, ingest, or the agent that proposed it';
COMMENT ON COLUMN memory_history.undone_by IS 'operation_id of the undo that took it back';

CREATE TABLE memory_use (
    user_id      integer NOT NULL,
    doc          integer NOT NULL,
    use_count    integer NOT NULL DEFAULT 0,
    last_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, doc),
    FOREIGN KEY (user_id, doc) REFERENCES document (user_id, doc) ON DELETE CASCADE
);
COMMENT ON TABLE memory_use IS 'how often and when a memory was put in front of a model; written after the reply';

CREATE TABLE proposal (
    user_id    integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    id         uuid NOT NULL,
    batch_id   uuid,
    kind       text NOT NULL,
    operation  jsonb NOT NULL,
    reason     text NOT NULL,
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE proposal IS 'operations that wait for the user';
COMMENT ON COLUMN proposal.reason IS 'why it was not applied by itself';

CREATE TABLE audit (
    user_id   integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    seq       bigint GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor     text NOT NULL,
    action    text NOT NULL CHECK (action IN ('reveal', 'export', 'forget', 'seal', 'unseal')),
    record_id uuid,
    note      text,
    PRIMARY KEY (user_id, seq)
);
COMMENT ON TABLE audit IS 'vault reveals, seals and unseals by hand, exports and forgets; never a value';

CREATE TABLE harmless_value (
    user_id    integer NOT NULL REFERENCES app_user (user_id) ON DELETE CASCADE,
    digest     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, digest)
);
COMMENT ON TABLE harmless_value IS 'values the user has unsealed: false alarms, not sealed again';
COMMENT ON COLUMN harmless_value.digest IS 'keyed digest of the value, as knowledge_vault.content_hmac';

CREATE TABLE forgotten_user (
    user_id  integer PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    memories integer NOT NULL,
    messages integer NOT NULL,
    pictures integer NOT NULL
);
COMMENT ON TABLE forgotten_user IS 'that somebody was forgotten: when, and how much it was; never who';

-- The one door to users by name: the application role sees no row of app_user but its own.
CREATE FUNCTION find_user(user_name text) RETURNS TABLE (user_id integer, timezone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT u.user_id, u.timezone FROM app_user AS u WHERE u.name = user_name $$;

CREATE FUNCTION ensure_user(user_name text, user_timezone text) RETURNS TABLE (user_id integer, timezone text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    INSERT INTO app_user (name, timezone) VALUES (user_name, user_timezone) ON CONFLICT (name) DO NOTHING;
    SELECT u.user_id, u.timezone FROM app_user AS u WHERE u.name = user_name;
$$;

CREATE FUNCTION users_with_open_batches() RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT DISTINCT user_id FROM batch
    WHERE state = 'pending' OR (state = 'running' AND lease_until < now())
       OR (state = 'gathering' AND created_at < now() - interval '5 minutes')
$$;

-- A job says only "drain this user's batches"; one that waits already is enough. Runs in the transaction that brings the
-- work, so the job is there exactly when the work is.
CREATE FUNCTION wake_worker(for_user integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'mirix', 'drain', 0, 'user:' || for_user, 'user:' || for_user, jsonb_build_object('user_id', for_user), NULL
    )::procrastinate_job_to_defer_v1]);
EXCEPTION WHEN unique_violation THEN
    NULL;
END
$$;

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
