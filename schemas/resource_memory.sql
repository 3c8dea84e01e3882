-- Resource memory: documents that were handed over: letters, mails, articles, notes, code, chat threads.
CREATE TABLE resource_memory (
    LIKE memory_record INCLUDING ALL,
    title         text NOT NULL CHECK (title <> ''),
    resource_type text NOT NULL DEFAULT 'document' CHECK (resource_type <> ''),
    mime          text NOT NULL DEFAULT 'text/plain',
    uri           text,
    content       text NOT NULL CHECK (content <> ''),
    FOREIGN KEY (user_id) REFERENCES app_user (user_id) ON DELETE CASCADE
);

COMMENT ON TABLE resource_memory IS 'documents that were handed over, kept verbatim';
COMMENT ON COLUMN resource_memory.title IS 'what one would call it, e.g. Letter from the landlord, 3 May';
COMMENT ON COLUMN resource_memory.resource_type IS 'e.g. letter, mail, article, notes, recipe, code, configuration, chat';
COMMENT ON COLUMN resource_memory.mime IS 'media type of the original, e.g. application/pdf';
COMMENT ON COLUMN resource_memory.uri IS 'where it came from, where that is known';
COMMENT ON COLUMN resource_memory.content IS 'the text, verbatim but for sealed values';
