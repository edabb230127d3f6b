-- fragment: log_row
INSERT INTO log (id, type, record, version, node, scope, actor, subject, time, schema, data, topics, live)

-- fragment: log_values
VALUES ($id, $type, $record, $version, $node, $scope, $actor, $subject, $time, $schema, $data, $topics, $live)

-- name: log_insert :none
-- Appends an entry. The database gives it its position.
-- in: id uuid, type text, record uuid, version int, node text, scope int, actor uuid?, subject uuid?, time time, schema int, data text, topics text?, live text?
$$log_row $$log_values;

-- name: log_insert_each :none each
-- Appends many entries, in their order.
-- in: as log_insert
-- sqlite:
$$log_row $$log_values;
-- postgres:
$$log_row
SELECT * FROM unnest($id, $type, $record, $version, $node, $scope, $actor, $subject, $time, $schema, $data, $topics, $live);

-- name: log_after :many
-- What follows a position, in order. On PostgreSQL only entries of transactions below the oldest that still runs: no entry
-- can come to stand before one of those any more.
-- in: transaction_id int, sequence int, limit int
-- out: transaction_id int, sequence int, id uuid, type text, record uuid, version int, scope int, actor uuid?, subject uuid?, time time, schema int, data text, topics text?, live text?
-- sqlite:
SELECT transaction_id, sequence, id, type, record, version, scope, actor, subject, time, schema, data, topics, live
  FROM log
 WHERE sequence > $sequence AND transaction_id >= $transaction_id
 ORDER BY sequence
 LIMIT $limit;
-- postgres:
SELECT transaction_id, sequence, id, type, record, version, scope, actor, subject, time, schema, data, topics, live
  FROM log
 WHERE (transaction_id, sequence) > ($transaction_id, $sequence)
   AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
 ORDER BY transaction_id, sequence
 LIMIT $limit;

-- name: log_last :optional
-- The last entry that readers may see.
-- out: transaction_id int, sequence int
-- sqlite:
SELECT transaction_id, sequence FROM log ORDER BY sequence DESC LIMIT 1;
-- postgres:
SELECT transaction_id, sequence
  FROM log
 WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
 ORDER BY transaction_id DESC, sequence DESC
 LIMIT 1;

-- name: log_waiting :optional
-- Whether something is committed behind a position, be it that readers may not see it yet. With one writer there is no such thing.
-- in: transaction_id int, sequence int
-- out: sequence int
-- sqlite:
SELECT sequence FROM log WHERE sequence > $sequence AND transaction_id >= $transaction_id ORDER BY sequence LIMIT 1;
-- postgres:
SELECT sequence
  FROM log
 WHERE (transaction_id, sequence) > ($transaction_id, $sequence)
 ORDER BY transaction_id, sequence
 LIMIT 1;

-- name: log_from :optional
-- The first entry at or behind a place, which is a sequence on SQLite and a transaction on PostgreSQL.
-- in: place int
-- out: place int, version int, time time
-- sqlite:
SELECT sequence, version, time FROM log WHERE sequence >= $place ORDER BY sequence LIMIT 1;
-- postgres:
SELECT transaction_id, version, time
  FROM log
 WHERE transaction_id >= $place
 ORDER BY transaction_id, sequence
 LIMIT 1;

-- name: log_reader_position :optional
-- How far a reader has come.
-- in: name text
-- out: transaction_id int, sequence int
SELECT transaction_id, sequence FROM log_reader WHERE name = $name;

-- name: log_reader_begin :none
-- Notes a reader that has read nothing yet.
-- in: name text
INSERT INTO log_reader (name, transaction_id, sequence) VALUES ($name, 0, 0) ON CONFLICT (name) DO NOTHING;

-- name: log_reader_move :affected
-- Moves a reader on, if it still stands where it is believed to: another process may have moved it.
-- in: name text, old_transaction_id int, old_sequence int, transaction_id int, sequence int
UPDATE log_reader
   SET transaction_id = $transaction_id, sequence = $sequence
 WHERE name = $name AND transaction_id = $old_transaction_id AND sequence = $old_sequence;
