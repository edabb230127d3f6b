-- The replies of requests that carried an Idempotency-Key, so that a repeated one is answered alike instead of done again.
-- `member` is all zero for a stranger; `reply` is sealed under a key that only whoever has the Idempotency-Key can derive.
CREATE TABLE idempotency (
    member uuid NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL,
    fingerprint bytea NOT NULL,
    reply bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (member, operation, key_hash)
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
