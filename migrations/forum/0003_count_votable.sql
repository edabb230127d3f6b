-- How many posts of a board take votes (neither rejected nor deleted), and on how many of those a member has voted. The reader
-- forum.totals begins at the start of the log again, so that it counts what happened before.
ALTER TABLE board_total ADD COLUMN votable_count bigint NOT NULL DEFAULT 0;
ALTER TABLE board_voter ADD COLUMN voted_count bigint NOT NULL DEFAULT 0;
DELETE FROM board_total;
DELETE FROM board_voter;
UPDATE log_reader SET transaction_id = 0, sequence = 0 WHERE name = 'forum.totals';
