-- Screens join a batch for some minutes before the managers read it; a frame knows its monitor.
ALTER TABLE batch DROP CONSTRAINT batch_state_check;
ALTER TABLE batch ADD CONSTRAINT batch_state_check CHECK (state IN ('gathering', 'pending', 'running', 'applied', 'failed'));
COMMENT ON COLUMN batch.state IS 'gathering (more screens may join it for some minutes), pending, running (leased), applied, failed (no attempt left)';

CREATE OR REPLACE FUNCTION users_with_open_batches() RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT DISTINCT user_id FROM batch
    WHERE state = 'pending' OR (state = 'running' AND lease_until < now())
       OR (state = 'gathering' AND created_at < now() - interval '5 minutes')
$$;

ALTER TABLE frame ADD COLUMN monitor text;
COMMENT ON COLUMN frame.monitor IS 'the screen it was taken of, as the window system names it; null where a picture was handed in';
