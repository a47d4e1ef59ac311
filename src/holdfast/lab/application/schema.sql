-- VoiceHive's tables. Each record carries the request id that its client made, and who the writer was in the same transaction.
-- Loaded after Holdfast's own schema (it reads holdfast.writer), under the application's role. Repeatable: loading it twice changes nothing.

CREATE OR REPLACE FUNCTION writer_region() RETURNS text LANGUAGE sql STABLE AS 'SELECT region FROM holdfast.writer';

CREATE TABLE IF NOT EXISTS calls (
    request text PRIMARY KEY,
    caller text NOT NULL,
    hotel text NOT NULL,
    session text NOT NULL,
    recording text NOT NULL,
    region text NOT NULL DEFAULT writer_region(),
    epoch integer NOT NULL DEFAULT holdfast.current_epoch(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (written_at);

CREATE TABLE IF NOT EXISTS reservations (
    request text PRIMARY KEY,
    guest text NOT NULL,
    room text NOT NULL,
    partner_reference text NOT NULL,
    region text NOT NULL DEFAULT writer_region(),
    epoch integer NOT NULL DEFAULT holdfast.current_epoch(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS users (
    name text PRIMARY KEY,
    password text NOT NULL
);

CREATE TABLE IF NOT EXISTS logins (
    request text PRIMARY KEY,
    user_name text NOT NULL REFERENCES users,
    region text NOT NULL DEFAULT writer_region(),
    epoch integer NOT NULL DEFAULT holdfast.current_epoch(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS aggregates (
    request text PRIMARY KEY,
    calls bigint NOT NULL,
    hotels bigint NOT NULL,
    since timestamptz NOT NULL,
    region text NOT NULL DEFAULT writer_region(),
    epoch integer NOT NULL DEFAULT holdfast.current_epoch(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS settings (
    name text PRIMARY KEY,
    value text NOT NULL,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS setting_changes (
    request text PRIMARY KEY,
    name text NOT NULL REFERENCES settings,
    value text NOT NULL,
    version bigint NOT NULL,
    region text NOT NULL DEFAULT writer_region(),
    epoch integer NOT NULL DEFAULT holdfast.current_epoch(),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO settings (name, value) VALUES
    ('greeting', 'Good day, this is VoiceHive.'),
    ('language', 'en'),
    ('voice', 'calm'),
    ('transfer-after-seconds', '30'),
    ('record-calls', 'yes'),
    ('night-desk', '+353 1 555 0100'),
    ('checkout-hour', '11'),
    ('upsell', 'breakfast'),
    ('canary', 'never sung')
ON CONFLICT (name) DO NOTHING;

-- Invented people; the password of NAME is `password of NAME` (scrypt, see credentials.py).
INSERT INTO users (name, password) VALUES
    ('receptionist-1', '939c745a6e890df038cf384c61171ff7$e9f95159c803a40d05efbccd394424508e1b2bd5501d605a415582cf553122a0'),
    ('receptionist-2', '9c53091307120dde6753b5b1d774fc9b$8723073ca947d77aaa64836ad006e7ea805920fdbcfc14ef33f4f2eb5f9b46ad'),
    ('receptionist-3', '0120b1b3ac70cabe29afe480d85e20b3$5c34e0d5d279762812cd2da62b93e0f6240a5cee03c0a49fa2b6c1fd48ae4e47'),
    ('receptionist-4', 'e7db4cae2474b7b89d97575d77185bad$4d4da4cc842ec883de93ba29a51a29ae6cfc2f5e67b71880beccde6108c2cdb6'),
    ('receptionist-5', '646dda838fc30720192d7f0ee1be95d3$3a4b2a0a17a77e96752d9ad18047b5d9fe8187f95bd0b38b55370b0cae5480e8'),
    ('receptionist-6', '593d7893f177658170fd952006239e31$cd33a2dd6c4a3e47cb3e1ca3578a61e14215c97a0985618be2083f6f63f57eeb'),
    ('receptionist-7', 'ea1b6a43d7c31fcf4ad270a4cd3c8711$e1ac3d9967e230f1f573746999843d0aece0c7a3cdead1be1fa9326f61facdae'),
    ('receptionist-8', 'c3305ab7f7a460179390f1ad4ad03aea$6ea3fc9bed3960948ad633201320df51589fecad1b3517db168c170b2c9fe60c')
ON CONFLICT (name) DO NOTHING;
