-- name: idempotency_find :optional
-- The reply kept for a key that is still valid.
-- in: member uuid, operation text, key_hash bytes, now time
-- out: fingerprint bytes, reply bytes
SELECT fingerprint, reply
  FROM idempotency
 WHERE member = $member AND operation = $operation AND key_hash = $key_hash AND expires_at > $now;

-- name: idempotency_keep :affected
-- Keeps a reply. Takes the place of an expired one; one that is still valid stays, and nothing is affected.
-- in: member uuid, operation text, key_hash bytes, fingerprint bytes, reply bytes, now time, expires_at time
INSERT INTO idempotency (member, operation, key_hash, fingerprint, reply, expires_at)
VALUES ($member, $operation, $key_hash, $fingerprint, $reply, $expires_at)
    ON CONFLICT (member, operation, key_hash)
    DO UPDATE SET fingerprint = excluded.fingerprint, reply = excluded.reply, expires_at = excluded.expires_at
       WHERE idempotency.expires_at <= $now;

-- name: idempotency_purge :affected
-- Deletes up to `limit` expired keys.
-- in: now time, limit int
DELETE FROM idempotency
 WHERE (member, operation, key_hash) IN (SELECT member, operation, key_hash
                                           FROM idempotency
                                          WHERE expires_at <= $now
                                          ORDER BY expires_at
                                          LIMIT $limit);
