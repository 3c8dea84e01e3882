-- Row level security, loaded last: every table that has a user_id shows the application role the rows of one user only,
-- the one named by the setting mirix.user_id of the transaction. Unset, it shows none.
DO $$
DECLARE
    name text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mirix_app') THEN
        BEGIN
            CREATE ROLE mirix_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database of this server was set up at the same moment
        END;
    END IF;
    EXECUTE format('GRANT mirix_app TO %I', current_user);
    FOR name IN
        SELECT c.relname FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO mirix_app '
            'USING (user_id = (SELECT nullif(current_setting(''mirix.user_id'', true), '''')::integer)) '
            'WITH CHECK (user_id = (SELECT nullif(current_setting(''mirix.user_id'', true), '''')::integer))',
            name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO mirix_app', name);
    END LOOP;
END
$$;
REVOKE INSERT, DELETE ON app_user FROM mirix_app;
REVOKE INSERT, UPDATE, DELETE ON forgotten_user FROM mirix_app;
REVOKE ALL ON memory_record FROM mirix_app;
REVOKE ALL ON FUNCTION find_user(text), ensure_user(text, text), users_with_open_batches(), wake_worker(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_user(text), ensure_user(text, text), users_with_open_batches(), wake_worker(integer)
    TO mirix_app;
REVOKE ALL ON FUNCTION forget_user(integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_user(integer, integer, integer) TO mirix_app;
GRANT USAGE ON SCHEMA public TO mirix_app;
