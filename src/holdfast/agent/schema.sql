-- What Holdfast keeps inside the database that it protects: who may write, and when the writer was last alive.
-- Repeatable: loading it twice changes nothing.

CREATE SCHEMA IF NOT EXISTS holdfast;

-- One row: the era and epoch under which this database is written, and the region that writes. Only the agent's promotion changes it,
-- in the first transaction after the promotion, so a row with an epoch was committed under that epoch.
CREATE TABLE IF NOT EXISTS holdfast.writer (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    era integer NOT NULL,
    epoch integer NOT NULL,
    region text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row a source: the agent beside the writer (its region) and every observer (its site). `at` is taken before the commit,
-- so the newest `at` that a replica has replayed bounds from above how much time of writes it lacks.
CREATE TABLE IF NOT EXISTS holdfast.heartbeat (
    source text PRIMARY KEY,
    at timestamptz NOT NULL,
    epoch integer NOT NULL
) WITH (fillfactor = 50);

-- For applications: the epoch that a write happens under, 0 before the first writer.
CREATE OR REPLACE FUNCTION holdfast.current_epoch() RETURNS integer
    LANGUAGE sql STABLE
    AS 'SELECT coalesce((SELECT epoch FROM holdfast.writer), 0)';

GRANT USAGE ON SCHEMA holdfast TO PUBLIC;
GRANT SELECT ON holdfast.writer, holdfast.heartbeat TO PUBLIC;
GRANT EXECUTE ON FUNCTION holdfast.current_epoch() TO PUBLIC;
