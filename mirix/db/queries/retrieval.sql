-- The read path. Every arm takes the same parameters and gives (kind, id, score): kind is the number of document.shelf
-- (0 message, 1 core … 6 vault). Pieces that differ only in the table are written once and joined by UNION ALL;
-- {filter} is one of the two conditions below, so filters always come before the limit.

-- name: message_filter
-- Which messages of the user may be found at all.
m.user_id = %(user_id)s
  AND m.standing <> 'hidden'
  AND (%(agent_id)s::text IS NULL OR m.agent_id = %(agent_id)s::text OR m.visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR m.run_id = %(run_id)s::text OR m.visibility = 'shared')
  AND (%(as_of)s::timestamptz IS NULL OR m.at <= %(as_of)s::timestamptz)
  AND (%(since)s::timestamptz IS NULL OR m.at >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR m.at < %(until)s::timestamptz)
  AND (%(source_kinds)s::text[] IS NULL OR m.source_kind = ANY (%(source_kinds)s::text[]))
  AND (%(application)s::text IS NULL OR lower(m.application) = lower(%(application)s::text))

-- name: record_filter
-- Which memories of the user may be found at all. With as_of: those that held in the world at that time.
r.user_id = %(user_id)s
  AND r.status = ANY (%(statuses)s::text[])
  AND (r.expires_at IS NULL OR r.expires_at > now())
  AND (%(agent_id)s::text IS NULL OR r.agent_id = %(agent_id)s::text OR r.visibility = 'shared')
  AND (%(run_id)s::text IS NULL OR r.run_id = %(run_id)s::text OR r.visibility = 'shared')
  AND (%(as_of)s::timestamptz IS NULL
       OR (r.valid_from <= %(as_of)s::timestamptz AND (r.valid_to IS NULL OR r.valid_to > %(as_of)s::timestamptz)))
  AND (%(since)s::timestamptz IS NULL
       OR coalesce(r.occurred_until, r.occurred_at, r.valid_from) >= %(since)s::timestamptz)
  AND (%(until)s::timestamptz IS NULL OR coalesce(r.occurred_at, r.valid_from) < %(until)s::timestamptz)
  AND (%(tags)s::text[] IS NULL OR r.tags @> %(tags)s::text[])
  AND (%(source_kinds)s::text[] IS NULL OR r.source_kind = ANY (%(source_kinds)s::text[]))
  AND (%(application)s::text IS NULL OR EXISTS (
      SELECT FROM document AS own
      JOIN memory_source AS x ON x.user_id = own.user_id AND x.doc = own.doc
      JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
      JOIN message AS m ON m.user_id = s.user_id AND m.id = s.record_id
      WHERE own.user_id = r.user_id AND own.record_id = r.id
        AND lower(m.application) = lower(%(application)s::text)))

-- name: index_only
-- Planner settings for an arm, until the end of the transaction. The plan of the lexical arm is known: index-only scans
-- of posting under nested loops, sums by hash, in memory. Left alone, a generic plan (psycopg prepares what is sent
-- often) takes three to four times as long. ef_search is how far an HNSW index is walked before it gives its best.
SELECT set_config(name, %(planner)s::text, true)
FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_sort']) AS s (name)
UNION ALL
SELECT set_config(name, value, true)
FROM (VALUES ('work_mem', '32MB'), ('hnsw.ef_search', %(ef_search)s::text), ('plan_cache_mode', 'force_generic_plan'),
             ('random_page_cost', '1.1')) AS s (name, value)

-- name: lexical
-- BM25 (Lucene's idf, times k1 + 1) for each probe, each shelf a collection of its own, which is counted here where its
-- documents and their terms are not given. bound is what a document of average length gets that holds each term once (a term that no document of
-- the shelf holds counts as one that a single document does): score / bound, about 0 to 1, compares across shelves. Each
-- term of a probe counts as many times as its share says. held are the terms of the probe that a document holds, a bit each
-- (the first 62); weights tells what each of them weighs in the first shelf, in the order of the bits.
WITH shelf AS MATERIALIZED (
    SELECT s.shelf, c.n, %(k1)s::float8 * %(b)s::float8 * c.n / nullif(c.lengths, 0) AS slope
    FROM unnest(%(shelves)s::smallint[], %(documents)s::bigint[], %(lengths)s::bigint[]) AS s (shelf, n, lengths)
    CROSS JOIN LATERAL (
        SELECT s.n, s.lengths WHERE s.n IS NOT NULL
        UNION ALL
        SELECT count(*), sum(d.length) FROM document AS d
        WHERE s.n IS NULL AND d.user_id = %(user_id)s AND d.shelf = s.shelf
        HAVING s.n IS NULL
    ) AS c
    WHERE c.n > 0
), counted AS MATERIALIZED (
    SELECT t.probe, s.shelf, s.n, s.slope, t.term, t.share, c.df
    FROM shelf AS s
    CROSS JOIN unnest(%(probes)s::smallint[], %(terms)s::integer[], %(shares)s::float8[]) AS t (probe, term, share)
    CROSS JOIN LATERAL (
        SELECT count(*) AS df FROM posting AS p
        WHERE p.user_id = %(user_id)s AND p.shelf = s.shelf AND p.term = t.term
    ) AS c
), weighed AS MATERIALIZED (
    SELECT probe, shelf, term, slope, df,
           share * (ln(1 + (n - df + 0.5) / (df + 0.5)))::float8 * (%(k1)s::float8 + 1) AS weight,
           sum(share * (ln(1 + (n - greatest(df, 1) + 0.5) / (greatest(df, 1) + 0.5)))::float8)
               OVER (PARTITION BY probe, shelf) AS bound,
           share * (ln(1 + (n - greatest(df, 1) + 0.5) / (greatest(df, 1) + 0.5)))::float8 AS idf,
           row_number() OVER (PARTITION BY probe, shelf ORDER BY term)::integer - 1 AS place
    FROM counted
), asked AS MATERIALIZED (
    SELECT probe, (%(messages)s::integer[])[probe] AS messages, (%(records)s::integer[])[probe] AS records,
           string_agg(round(idf::numeric, 3)::text, ' ' ORDER BY place) AS weights
    FROM weighed
    WHERE shelf = (SELECT min(shelf) FROM shelf) AND place < 62
    GROUP BY probe
)
{hits}

-- name: lexical_messages
-- The best of the message shelves. What the terms weigh stands in the first row alone.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT near.*, CASE WHEN row_number() OVER () = 1 THEN a.weights END AS weights
    FROM (
        SELECT {kind}::smallint AS kind, m.id::text, s.score, s.bound, s.held,
               m.embedding_model IS NOT DISTINCT FROM %(embedding_model)s::text AS is_embedded
        FROM (
            {scored}
        ) AS s
        JOIN document AS d ON d.user_id = %(user_id)s AND d.doc = s.doc
        JOIN message AS m ON m.user_id = %(user_id)s AND m.id = d.record_id
        WHERE {filter}
        ORDER BY s.score DESC, s.doc DESC
        LIMIT a.messages
    ) AS near
) AS best

-- name: lexical_records
-- The best of the shelves of one memory.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT near.*, CASE WHEN row_number() OVER () = 1 THEN a.weights END AS weights
    FROM (
        SELECT {kind}::smallint AS kind, r.id::text, s.score, s.bound, s.held,
               r.embedding_model IS NOT DISTINCT FROM %(embedding_model)s::text AS is_embedded
        FROM (
            {scored}
        ) AS s
        JOIN document AS d ON d.user_id = %(user_id)s AND d.doc = s.doc
        JOIN {table} AS r ON r.user_id = %(user_id)s AND r.id = d.record_id
        WHERE {filter}
        ORDER BY s.score DESC, s.doc DESC
        LIMIT a.records
    ) AS near
) AS best

-- name: scored
-- The documents of the shelves of one kind that hold a term of a probe, best first.
SELECT p.doc, max(w.bound) AS bound, bit_or(CASE WHEN w.place < 62 THEN 1::bigint << w.place ELSE 0 END) AS held,
       sum(w.weight * p.tf / (p.tf + %(k1)s::float8 * (1 - %(b)s::float8) + w.slope * p.length)) AS score
FROM weighed AS w
JOIN posting AS p ON p.user_id = %(user_id)s AND p.shelf = w.shelf AND p.term = w.term
WHERE w.probe = a.probe AND w.shelf / 3 = {kind} AND w.df > 0
GROUP BY p.doc
ORDER BY score DESC, p.doc DESC

-- name: dense
-- Nearest by cosine, for each probe.
WITH asked AS MATERIALIZED (
    SELECT v.probe, v.vector, v.messages, v.records
    FROM unnest(%(vectors)s::halfvec[], %(messages)s::integer[], %(records)s::integer[]) WITH ORDINALITY
         AS v (vector, messages, records, probe)
)
{hits}

-- name: dense_messages
-- Own vector and vector of the ±1 window together: an exact scan of the user's rows. OFFSET 0 keeps each distance from
-- being worked out twice. Vectors of another width under the same name (the model behind it changed) cannot be compared
-- and are left out, as are texts that the embedder does not read.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT {kind}::smallint AS kind, near.id::text, 1 - near.own AS score, 1 - near.around AS window_score
    FROM (
        SELECT m.id, (m.embedding <=> a.vector)::float8 AS own,
               (coalesce(m.window_embedding, m.embedding) <=> a.vector)::float8 AS around
        FROM message AS m
        WHERE m.embedding_model = %(embedding_model)s AND vector_dims(m.embedding) = %(dimensions)s AND {filter}
        OFFSET 0
    ) AS near
    ORDER BY near.own + near.around, near.id DESC
    LIMIT a.messages
) AS best

-- name: dense_records
-- An exact scan of the user's rows of one memory.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT {kind}::smallint AS kind, near.id::text, 1 - near.own AS score, 1 - near.own AS window_score
    FROM (
        SELECT r.id, (r.embedding <=> a.vector)::float8 AS own
        FROM {table} AS r
        WHERE r.embedding_model = %(embedding_model)s AND vector_dims(r.embedding) = %(dimensions)s AND {filter}
        OFFSET 0
    ) AS near
    ORDER BY near.own, near.id DESC
    LIMIT a.records
) AS best

-- name: near_messages
-- The nearest messages by the HNSW index of a big user (memory/near.py): the sum of both cosines is the inner product
-- with the sum of both vectors.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT {kind}::smallint AS kind, near.id::text, 1 - near.own AS score, 1 - near.around AS window_score
    FROM (
        SELECT m.id, (m.embedding <=> a.vector)::float8 AS own,
               (coalesce(m.window_embedding, m.embedding) <=> a.vector)::float8 AS around
        FROM message AS m
        WHERE {condition} AND {filter}
        ORDER BY {vector} <#> a.vector
        LIMIT a.messages
    ) AS near
    ORDER BY near.own + near.around, near.id DESC
) AS best

-- name: near_records
-- The nearest of one memory by the HNSW index of a big user.
SELECT a.probe, best.* FROM asked AS a
CROSS JOIN LATERAL (
    SELECT {kind}::smallint AS kind, near.id::text, 1 - near.own AS score, 1 - near.own AS window_score
    FROM (
        SELECT r.id, (r.embedding <=> a.vector)::float8 AS own
        FROM {table} AS r
        WHERE {condition} AND {filter}
        ORDER BY {vector} <=> a.vector
        LIMIT a.records
    ) AS near
    ORDER BY near.own, near.id DESC
) AS best

-- name: temporal_messages
-- Messages of, or about, the times the question names. The indexes give what lies between the first and the last of
-- these times: the operators of ranges are not leakproof and no index of theirs is used under row level security.
SELECT 1::smallint AS probe, {kind}::smallint AS kind, near.id::text, near.score
FROM (
    SELECT m.id, m.at, CASE WHEN m.mentioned && %(times)s::tstzmultirange THEN 1.0 ELSE 0.8 END::float8 AS score
    FROM message AS m
    WHERE m.at >= lower(%(times)s::tstzmultirange) AND m.at < upper(%(times)s::tstzmultirange)
      AND m.at <@ %(times)s::tstzmultirange AND {filter}
    UNION
    SELECT m.id, m.at, 1.0::float8 AS score
    FROM message AS m
    WHERE m.mentioned_from < upper(%(times)s::tstzmultirange) AND m.mentioned_until > lower(%(times)s::tstzmultirange)
      AND m.mentioned && %(times)s::tstzmultirange AND {filter}
) AS near
ORDER BY near.score DESC, near.at DESC, near.id DESC
LIMIT (%(messages)s::integer[])[1]

-- name: temporal_records
-- Memories of one kind that happened, or began to hold, in the times the question names. CASE, not coalesce, which is not
-- taken to be leakproof.
SELECT 1::smallint AS probe, {kind}::smallint AS kind, r.id::text,
       CASE WHEN r.occurred_at IS NULL THEN 0.8 ELSE 1.0 END::float8 AS score
FROM {table} AS r
WHERE CASE WHEN r.occurred_until IS NOT NULL THEN r.occurred_until
           WHEN r.occurred_at IS NOT NULL THEN r.occurred_at ELSE r.valid_from END
      >= lower(%(times)s::tstzmultirange)
  AND CASE WHEN r.occurred_at IS NOT NULL THEN r.occurred_at ELSE r.valid_from END
      < upper(%(times)s::tstzmultirange)
  AND tstzrange(coalesce(r.occurred_at, r.valid_from),
                coalesce(r.occurred_until, r.occurred_at, r.valid_from), '[]') && %(times)s::tstzmultirange
  AND {filter}
ORDER BY score DESC, coalesce(r.occurred_at, r.valid_from) DESC, r.id DESC
LIMIT (%(records)s::integer[])[1]

-- name: links
-- Memories one hop away from those that were found, in either direction.
SELECT a.record_id::text AS from_id, b.record_id::text AS to_id
FROM document AS a
JOIN memory_link AS l ON l.user_id = a.user_id AND l.from_doc = a.doc
JOIN document AS b ON b.user_id = l.user_id AND b.doc = l.to_doc
WHERE a.user_id = %(user_id)s AND a.record_id = ANY (%(ids)s::uuid[]) AND l.relation NOT IN ('supersedes', 'merged_into')
UNION
SELECT b.record_id::text AS from_id, a.record_id::text AS to_id
FROM document AS b
JOIN memory_link AS l ON l.user_id = b.user_id AND l.to_doc = b.doc
JOIN document AS a ON a.user_id = l.user_id AND a.doc = l.from_doc
WHERE b.user_id = %(user_id)s AND b.record_id = ANY (%(ids)s::uuid[]) AND l.relation NOT IN ('supersedes', 'merged_into')
LIMIT 200

-- name: sources
-- The messages that still speak for some memories, in order, and who said them.
SELECT d.record_id::text, array_agg(m.id::text ORDER BY x.source_doc) AS source_ids,
       array_agg(m.speaker ORDER BY x.source_doc) AS speakers, array_agg(m.role ORDER BY x.source_doc) AS roles
FROM document AS d
JOIN memory_source AS x ON x.user_id = d.user_id AND x.doc = d.doc AND x.stands
JOIN document AS s ON s.user_id = x.user_id AND s.doc = x.source_doc
JOIN message AS m ON m.user_id = s.user_id AND m.id = s.record_id
WHERE d.user_id = %(user_id)s AND d.record_id = ANY (%(ids)s::uuid[]) AND m.standing <> 'hidden'
GROUP BY d.record_id

-- name: describe_messages
-- What ranking needs to know of messages: session (conversation and day), neighbours in it, who spoke, standing, how it
-- says it: the beginning of its text, its length in terms, whether it ends with a question, whether it names a time.
SELECT m.id::text, m.conversation_id::text || ' ' || own.day AS session, m.speaker, m.role, m.at, m.standing,
       CASE WHEN before.day = own.day THEN before.id::text END AS before_id,
       CASE WHEN after.day = own.day THEN after.id::text END AS after_id,
       m.source_kind = 'screen' AS is_screen,
       left(m.text, CASE WHEN m.source_kind = 'screen' THEN 8000 ELSE 1500 END) AS text, d.length,
       m.text ~ '[?？]\s*(\[[^]]*\])?\s*$' AS is_question,
       m.mentioned_from IS NOT NULL AS names_time
FROM message AS m
CROSS JOIN LATERAL (SELECT (m.at AT TIME ZONE m.timezone)::date AS day) AS own
JOIN document AS d ON d.user_id = m.user_id AND d.record_id = m.id
LEFT JOIN LATERAL (
    SELECT n.id, (n.at AT TIME ZONE n.timezone)::date AS day FROM message AS n
    WHERE n.user_id = m.user_id AND n.conversation_id = m.conversation_id AND n.position < m.position
      AND n.standing <> 'hidden'
    ORDER BY n.position DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT n.id, (n.at AT TIME ZONE n.timezone)::date AS day FROM message AS n
    WHERE n.user_id = m.user_id AND n.conversation_id = m.conversation_id AND n.position > m.position
      AND n.standing <> 'hidden'
    ORDER BY n.position LIMIT 1
) AS after ON true
WHERE m.user_id = %(user_id)s AND m.id = ANY (%(ids)s::uuid[])

-- name: beside
-- The turns within reach of some messages, before and after, in the same conversation on the same day.
SELECT a.id::text AS anchor, a.text AS anchor_text, m.id::text, m.text, near.distance, m.role = a.role AS is_same_role,
       sign(m.position - a.position) * greatest(abs(extract(epoch FROM m.at - a.at)), 0.001)::float8 AS later_s
FROM message AS a
CROSS JOIN LATERAL (
    (SELECT n.id, row_number() OVER (ORDER BY n.position DESC) AS distance FROM message AS n
     WHERE n.user_id = a.user_id AND n.conversation_id = a.conversation_id AND n.position < a.position
       AND n.standing <> 'hidden'
     ORDER BY n.position DESC LIMIT %(reach)s)
    UNION ALL
    (SELECT n.id, row_number() OVER (ORDER BY n.position) AS distance FROM message AS n
     WHERE n.user_id = a.user_id AND n.conversation_id = a.conversation_id AND n.position > a.position
       AND n.standing <> 'hidden'
     ORDER BY n.position LIMIT %(reach)s)
) AS near
JOIN message AS m ON m.user_id = a.user_id AND m.id = near.id
WHERE a.user_id = %(user_id)s AND a.id = ANY (%(ids)s::uuid[])
  AND (m.at AT TIME ZONE a.timezone)::date = (a.at AT TIME ZONE a.timezone)::date AND {filter}

-- name: describe_records
-- What ranking needs to know of the memories of one kind; only those that may be found. Their summaries only where
-- somebody is named, to look for the names.
SELECT {kind}::smallint AS kind, r.id::text, CASE WHEN %(is_naming)s::boolean THEN r.summary ELSE '' END AS summary,
       r.status, r.valid_from, r.valid_to, r.occurred_at, r.importance, r.utility, r.pinned
FROM {table} AS r
WHERE r.id = ANY (%(ids)s::uuid[]) AND {filter}

-- name: all_records
-- The part of a memory table that tells what took its place.
SELECT user_id, id, superseded_by, valid_from, valid_to FROM {table}

-- name: replacements
-- For outdated things (superseded memories, messages behind them): the memories at the end of the chain of values that
-- took their place by as_of. since is when the thing itself ceased to hold.
WITH RECURSIVE r AS NOT MATERIALIZED (
    {records}
), step (id, next, since) AS (
    SELECT r.id, r.superseded_by, r.valid_to FROM r
    WHERE r.user_id = %(user_id)s AND r.id = ANY (%(ids)s::uuid[]) AND r.superseded_by IS NOT NULL
    UNION
    SELECT m.record_id, r.superseded_by, r.valid_to
    FROM document AS m
    JOIN memory_source AS x ON x.user_id = m.user_id AND x.source_doc = m.doc AND x.stands
    JOIN document AS d ON d.user_id = x.user_id AND d.doc = x.doc
    JOIN r ON r.user_id = %(user_id)s AND r.id = d.record_id AND r.superseded_by IS NOT NULL
    WHERE m.user_id = %(user_id)s AND m.record_id = ANY (%(ids)s::uuid[])
), chain (id, next, since) AS (
    SELECT id, next, since FROM step
    WHERE %(as_of)s::timestamptz IS NULL OR since <= %(as_of)s::timestamptz
    UNION
    SELECT c.id, further.superseded_by, c.since
    FROM chain AS c
    CROSS JOIN LATERAL (  -- OFFSET 0: looked up for each, where the planner would read all that the user has
        SELECT r.superseded_by FROM r
        WHERE r.user_id = %(user_id)s AND r.id = c.next AND r.superseded_by IS NOT NULL
          AND (%(as_of)s::timestamptz IS NULL OR r.valid_to <= %(as_of)s::timestamptz)
        OFFSET 0
    ) AS further
)
SELECT c.id::text, c.next::text AS replaced_by, min(c.since) AS since
FROM chain AS c
WHERE NOT EXISTS (SELECT FROM chain AS further JOIN r ON r.user_id = %(user_id)s AND r.id = c.next
                  WHERE further.id = c.id AND r.superseded_by = further.next)
GROUP BY c.id, c.next

-- name: messages
-- Whole messages by id, as far as they may be found at all.
SELECT {columns} FROM message AS m WHERE m.id = ANY (%(ids)s::uuid[]) AND {filter}

-- name: core_lines
-- The lines that are always in the prompt, block by block. Core memory is what the user is to everyone: no scope hides
-- a shared line, and a private one is shown to its own agent and run.
SELECT r.label, r.summary, r.id
FROM core_memory AS r
WHERE {filter}
ORDER BY r.label, r.position, r.id

-- name: people
-- The people that the memory knows by a name which stands in a text, or by the first word of it.
SELECT DISTINCT known.name
FROM semantic_memory AS r
CROSS JOIN LATERAL (VALUES (r.name), (split_part(r.name, ' ', 1))) AS known (name)
WHERE r.user_id = %(user_id)s AND r.status = 'active' AND r.kind = 'person'
  AND length(known.name) > 1 AND strpos(%(text)s, known.name) > 0
LIMIT 50

-- name: overview
-- The two that follow in one row.
SELECT ARRAY({speakers}) AS speakers,
       ARRAY(SELECT ARRAY[s.shelf::bigint, s.documents, s.terms] FROM ({shelves}) AS s) AS shelves

-- name: shelves
-- How many documents stand on each shelf, and how many terms they have together.
SELECT d.shelf, count(*) AS documents, sum(d.length) AS terms FROM document AS d
WHERE d.user_id = %(user_id)s GROUP BY d.shelf

-- name: speakers
-- Who speaks in the user's messages: a skip scan over (user_id, speaker), one step for each name.
WITH RECURSIVE named AS (
    (SELECT m.speaker FROM message AS m WHERE m.user_id = %(user_id)s ORDER BY m.speaker LIMIT 1)
    UNION ALL
    SELECT (SELECT m.speaker FROM message AS m
            WHERE m.user_id = %(user_id)s AND m.speaker > named.speaker ORDER BY m.speaker LIMIT 1)
    FROM named WHERE named.speaker IS NOT NULL
)
SELECT speaker FROM named WHERE speaker IS NOT NULL LIMIT 500
