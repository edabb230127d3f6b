-- Every statement that identity runs.

-- name: account_by_name :optional
-- For signing in.
-- in: name text
-- out: id uuid, name text, password_hash text?, tier int, roles int, created_at time
SELECT id, name, password_hash, tier, roles, created_at FROM account WHERE name = $name;

-- name: account_by_id :optional
-- An account.
-- in: id uuid
-- out: id uuid, name text, tier int, roles int, created_at time, version int
SELECT id, name, tier, roles, created_at, version FROM account WHERE id = $id;

-- name: account_insert :none
-- A new account.
-- in: id uuid, name text, password_hash text?, tier int, roles int, imported bool, created_at time, version int
INSERT INTO account (id, name, password_hash, tier, roles, imported, created_at, version)
VALUES ($id, $name, $password_hash, $tier, $roles, $imported, $created_at, $version);

-- name: account_set_password :none
-- A hash with today's cost in place of an older one.
-- in: id uuid, password_hash text
UPDATE account SET password_hash = $password_hash WHERE id = $id;

-- name: anybody_can_sign_in :one
-- Whether any account has a password.
-- out: found bool
SELECT EXISTS (SELECT 1 FROM account WHERE password_hash IS NOT NULL);

-- name: session_insert :none
-- A device signs in.
-- in: id uuid, account uuid, device text, created_at time, expires_at time
INSERT INTO session (id, account_id, device, generation, created_at, used_at, expires_at)
VALUES ($id, $account, $device, 1, $created_at, $created_at, $expires_at);

-- name: session_by_id :optional
-- A session with what its tokens say of the account.
-- in: id uuid
-- out: id uuid, account_id uuid, generation int, expires_at time, ended_at time?, name text, tier int, roles int, account_created_at time
SELECT s.id, s.account_id, s.generation, s.expires_at, s.ended_at, a.name, a.tier, a.roles, a.created_at
  FROM session s JOIN account a ON a.id = s.account_id
 WHERE s.id = $id;

-- name: session_refresh :none
-- The next generation of a session's refresh token.
-- in: id uuid, generation int, used_at time, expires_at time
UPDATE session SET generation = $generation, used_at = $used_at, expires_at = $expires_at WHERE id = $id;

-- name: session_end :affected
-- Ends a session of an account, if it has not ended.
-- in: id uuid, account uuid, now time
UPDATE session SET ended_at = $now WHERE id = $id AND account_id = $account AND ended_at IS NULL;

-- name: sessions_page :many
-- An account's sessions that are open, latest used first, from below (used_at, before).
-- in: account uuid, used_at time, before uuid, now time, limit int
-- out: id uuid, device text, created_at time, used_at time
SELECT id, device, created_at, used_at
  FROM session
 WHERE account_id = $account AND ended_at IS NULL AND expires_at > $now AND (used_at, id) < ($used_at, $before)
 ORDER BY used_at DESC, id DESC
 LIMIT $limit;

-- name: sessions_open :many
-- The ids of an account's sessions that have not ended, longest unused first.
-- in: account uuid
-- out: id uuid
-- bounded: an account has at most 50 open sessions; signing in ends those beyond
SELECT id FROM session WHERE account_id = $account AND ended_at IS NULL ORDER BY used_at, id;

-- name: sessions_end_all :many
-- Ends all sessions of an account that have not ended; gives their ids.
-- in: account uuid, now time
-- out: id uuid
-- bounded: an account has at most 50 open sessions; signing in ends those beyond
UPDATE session SET ended_at = $now WHERE account_id = $account AND ended_at IS NULL RETURNING id;

-- name: sessions_forget :affected
-- Forgets some sessions that ran out before `then`.
-- in: then time, limit int
DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $then ORDER BY expires_at LIMIT $limit);

-- name: import_accounts_insert :many each
-- Accounts that cannot sign in; one that is there already stays as it is. Gives the new ones.
-- in: id uuid, name text, tier int, created_at time, version int
-- out: id uuid
-- bounded: a row for each row that is given
-- sqlite:
INSERT INTO account (id, name, password_hash, tier, roles, imported, created_at, version)
VALUES ($id, $name, NULL, $tier, 0, TRUE, $created_at, $version)
    ON CONFLICT DO NOTHING
RETURNING id;
-- postgres:
INSERT INTO account (id, name, password_hash, tier, roles, imported, created_at, version)
SELECT a.id, a.name, NULL, a.tier, 0, TRUE, a.created_at, a.version
  FROM unnest($id, $name, $tier, $created_at, $version) AS a (id, name, tier, created_at, version)
    ON CONFLICT DO NOTHING
RETURNING id;
