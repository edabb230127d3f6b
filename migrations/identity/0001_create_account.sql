-- Accounts and the sessions (devices) that are signed in to them.

CREATE TABLE account (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text,             -- null: cannot sign in (imported)
    tier bigint NOT NULL,           -- 1 unverified, 2 phone, 3 vouched, 4 verified
    roles bigint NOT NULL,          -- bits: 1 moderator, 2 administrator
    imported boolean NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

-- Whether anybody can sign in yet.
CREATE INDEX account_with_password ON account (created_at) WHERE password_hash IS NOT NULL;

CREATE TABLE session (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id),
    device text NOT NULL,
    generation bigint NOT NULL,     -- of the refresh token that is good now; an older one that comes again ends the session
    created_at bigint NOT NULL,
    used_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint
);

CREATE INDEX session_by_account ON session (account_id, used_at, id) WHERE ended_at IS NULL;
CREATE INDEX session_by_expiry ON session (expires_at);
