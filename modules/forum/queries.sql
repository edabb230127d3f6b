-- Every statement that the forum runs.

-- ---- boards ----

-- fragment: board_shown
SELECT b.id, b.slug, b.title, b.description, b.kind, b.created_at, b.closed_at, b.version,
       COALESCE(t.post_count, 0), COALESCE(t.comment_count, 0), COALESCE(t.votable_count, 0), COALESCE(t.voter_count, 0),
       COALESCE(t.agree_count, 0), COALESCE(t.disagree_count, 0), COALESCE(t.pass_count, 0), COALESCE(v.voted_count, 0)
  FROM board b
  LEFT JOIN board_total t ON t.board_id = b.id
  LEFT JOIN board_voter v ON v.board_id = b.id AND v.member_id = $member

-- name: board_by_slug :optional
-- A board with its totals, and on how many of its posts `member` has voted.
-- in: slug text, member uuid?
-- out: id uuid, slug text, title text, description text, kind int, created_at time, closed_at time?, version int,
-- out: post_count int, comment_count int, votable_count int, voter_count int, agree_count int, disagree_count int, pass_count int, voted_count int
$$board_shown
 WHERE b.slug = $slug;

-- name: boards_page :many
-- Boards, latest first, from below `before`.
-- in: before uuid, member uuid?, limit int
-- out: as board_by_slug
$$board_shown
 WHERE b.id < $before
 ORDER BY b.id DESC
 LIMIT $limit;

-- name: board_insert :none
-- A new board.
-- in: id uuid, slug text, title text, description text, kind int, created_by uuid?, created_at time, version int
INSERT INTO board (id, slug, title, description, kind, created_by, created_at, version)
VALUES ($id, $slug, $title, $description, $kind, $created_by, $created_at, $version);

-- name: board_update :none
-- Changes a board.
-- in: id uuid, title text, description text, closed_at time?, version int
UPDATE board SET title = $title, description = $description, closed_at = $closed_at, version = $version
 WHERE id = $id;

-- name: board_for_posting :optional
-- What posting has to know of a board; reads nothing that votes and totals change.
-- in: slug text
-- out: id uuid, kind int, closed_at time?
SELECT id, kind, closed_at FROM board WHERE slug = $slug;

-- ---- items: posts and comments ----

-- fragment: item_columns
i.id, i.board_id, b.slug, b.kind, b.closed_at, i.root_id, i.parent_id, i.depth,
i.author_id, m.name, i.title, i.body, i.created_at, i.edited_at, i.deleted_at,
i.moderation, i.version, i.reply_count, i.comment_count, i.agree_count, i.disagree_count, i.pass_count,
COALESCE(v.value, 0), i.score

-- fragment: item_joins
JOIN board b ON b.id = i.board_id
LEFT JOIN member m ON m.id = i.author_id
LEFT JOIN vote v ON v.item_id = i.id AND v.member_id = $member

-- name: item_by_id :optional
-- A post or comment as `member` sees it: with the author's name and the member's own vote.
-- in: id uuid, member uuid?
-- out: id uuid, board_id uuid, board_slug text, board_kind int, board_closed_at time?, root_id uuid, parent_id uuid?, depth int,
-- out: author_id uuid, author_name text?, title text, body text, created_at time, edited_at time?, deleted_at time?,
-- out: moderation int, version int, reply_count int, comment_count int, agree_count int, disagree_count int, pass_count int, own int, score int
SELECT $$item_columns
  FROM item i $$item_joins
 WHERE i.id = $id;

-- name: posts_new :many
-- Posts of a board, latest first, from below `before`.
-- in: board uuid, member uuid?, before uuid, limit int
-- out: as item_by_id
SELECT $$item_columns
  FROM item i $$item_joins
 WHERE i.board_id = $board AND i.parent_id IS NULL AND i.id < $before
 ORDER BY i.id DESC
 LIMIT $limit;

-- name: posts_agreed :many
-- Posts of a board, most surely agreed with first, from below (score, before).
-- in: board uuid, member uuid?, score int, before uuid, limit int
-- out: as item_by_id
SELECT $$item_columns
  FROM item i $$item_joins
 WHERE i.board_id = $board AND i.parent_id IS NULL AND (i.score, i.id) < ($score, $before)
 ORDER BY i.score DESC, i.id DESC
 LIMIT $limit;

-- name: posts_unvoted :many slow
-- Statements that are neither rejected nor deleted and have no vote of the member, oldest first. Slow: it passes over all that
-- the member has voted on, of which there may be many thousands.
-- in: board uuid, member uuid, limit int
-- out: as item_by_id
SELECT $$item_columns
  FROM item i $$item_joins
 WHERE i.board_id = $board AND i.parent_id IS NULL AND i.moderation <> 3 AND i.deleted_at IS NULL AND v.item_id IS NULL
 ORDER BY i.id
 LIMIT $limit;

-- name: comments_page :many
-- A page of the comments below `parent`, oldest first, each with up to `depth` more levels, of each the first three; in no
-- particular order: the caller puts them below their parents. At most `most` in all, the upper levels first.
-- in: parent uuid, after uuid, limit int, depth int, most int, member uuid?
-- out: as item_by_id
-- sqlite:
WITH RECURSIVE page AS (
    SELECT rowid AS place, id FROM item WHERE parent_id = $parent AND id > $after ORDER BY id LIMIT $limit
), tree (place, id, level) AS (
    SELECT place, id, 0 FROM page
    UNION ALL
    SELECT c.rowid, c.id, t.level + 1
      FROM tree t
      JOIN item c ON c.rowid IN (SELECT k.rowid FROM item k WHERE k.parent_id = t.id ORDER BY k.id LIMIT 3)
     WHERE t.level < $depth
     ORDER BY 3
     LIMIT $most
)
SELECT $$item_columns
  FROM tree
  JOIN item i ON i.rowid = tree.place $$item_joins
 ORDER BY i.id;
-- postgres:
WITH RECURSIVE page AS (
    SELECT id FROM item WHERE parent_id = $parent AND id > $after ORDER BY id LIMIT $limit
), tree (id, level) AS (
    SELECT id, 0 FROM page
    UNION ALL
    SELECT c.id, t.level + 1
      FROM tree t
     CROSS JOIN LATERAL (SELECT k.id FROM item k WHERE k.parent_id = t.id ORDER BY k.id LIMIT 3) c
     WHERE t.level < $depth
)
SELECT $$item_columns
  FROM (SELECT id FROM tree LIMIT $most) tree
  JOIN item i ON i.id = tree.id $$item_joins
 ORDER BY i.id;

-- name: item_insert :none
-- A new post or comment.
-- in: id uuid, board_id uuid, root_id uuid, parent_id uuid?, depth int, author_id uuid, title text, body text, created_at time, moderation int, version int
INSERT INTO item (id, board_id, root_id, parent_id, depth, author_id, title, body, created_at, moderation, version)
VALUES ($id, $board_id, $root_id, $parent_id, $depth, $author_id, $title, $body, $created_at, $moderation, $version);

-- name: item_update :none
-- Changes or empties a post or comment.
-- in: id uuid, title text, body text, edited_at time?, deleted_at time?, version int
UPDATE item SET title = $title, body = $body, edited_at = $edited_at, deleted_at = $deleted_at, version = $version
 WHERE id = $id;

-- name: count_reply :none
-- One more comment directly below `parent`.
-- in: parent uuid
UPDATE item SET reply_count = reply_count + 1 WHERE id = $parent;

-- name: count_comment :none
-- One more comment in the thread of the post `root`.
-- in: root uuid
UPDATE item SET comment_count = comment_count + 1 WHERE id = $root;

-- ---- votes ----

-- fragment: vote_replaced
ON CONFLICT (item_id, member_id) DO UPDATE SET value = excluded.value, cast_at = excluded.cast_at

-- fragment: vote_put
INSERT INTO vote (item_id, member_id, value, cast_at) VALUES ($item, $member, $value, $cast_at) $$vote_replaced

-- name: vote_set :none
-- The vote that stands from now on.
-- in: item uuid, member uuid, value int, cast_at time
$$vote_put;

-- name: votes_set :none each
-- Many votes that stand from now on, of one person on one item at most one.
-- in: as vote_set
-- sqlite:
$$vote_put;
-- postgres:
INSERT INTO vote (item_id, member_id, value, cast_at) SELECT * FROM unnest($item, $member, $value, $cast_at)
    $$vote_replaced;

-- name: votes_standing :many each
-- The votes that stand of some members on some items. The LIMIT keeps PostgreSQL to the index, whatever it believes of the sizes.
-- in: item uuid, member uuid
-- out: item_id uuid, member_id uuid, value int, cast_at time
-- sqlite:
SELECT item_id, member_id, value, cast_at FROM vote WHERE item_id = $item AND member_id = $member LIMIT 1;
-- postgres:
SELECT v.item_id, v.member_id, v.value, v.cast_at
  FROM unnest($item, $member) AS ballot (item, member)
 CROSS JOIN LATERAL (SELECT * FROM vote WHERE item_id = ballot.item AND member_id = ballot.member LIMIT 1) v;

-- name: vote_delete :none
-- Takes a vote back.
-- in: item uuid, member uuid
DELETE FROM vote WHERE item_id = $item AND member_id = $member;

-- fragment: tally_put
UPDATE item SET agree_count = $agree_count, disagree_count = $disagree_count, pass_count = $pass_count, score = $score
 WHERE id = $id

-- name: tally_update :none
-- How an item stands after a vote.
-- in: id uuid, agree_count int, disagree_count int, pass_count int, score int
$$tally_put;

-- name: tallies_update :none each
-- How many items stand after votes.
-- in: as tally_update
-- sqlite:
$$tally_put;
-- postgres:
UPDATE item SET agree_count = tally.agree, disagree_count = tally.disagree, pass_count = tally.pass, score = tally.score
  FROM unnest($id, $agree_count, $disagree_count, $pass_count, $score) AS tally (id, agree, disagree, pass, score)
 WHERE item.id = tally.id;

-- name: tallies_of :many each
-- How some items stand.
-- in: id uuid
-- out: id uuid, agree_count int, disagree_count int, pass_count int
-- sqlite:
SELECT id, agree_count, disagree_count, pass_count FROM item WHERE id = $id LIMIT 1;
-- postgres:
SELECT i.id, i.agree_count, i.disagree_count, i.pass_count
  FROM unnest($id) AS wanted (id)
 CROSS JOIN LATERAL (SELECT * FROM item WHERE item.id = wanted.id LIMIT 1) i;

-- ---- what the forum's readers write ----

-- name: member_set :none
-- What identity says of a member.
-- in: id uuid, name text
INSERT INTO member (id, name) VALUES ($id, $name) ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- name: member_by_id :optional
-- The name of a member, once identity's log has told it.
-- in: id uuid
-- out: name text
SELECT name FROM member WHERE id = $id;

-- fragment: total_insert
INSERT INTO board_total (board_id, post_count, comment_count, votable_count, voter_count, agree_count, disagree_count, pass_count)

-- fragment: total_added
ON CONFLICT (board_id) DO UPDATE
SET post_count = board_total.post_count + excluded.post_count,
    comment_count = board_total.comment_count + excluded.comment_count,
    votable_count = board_total.votable_count + excluded.votable_count,
    voter_count = board_total.voter_count + excluded.voter_count,
    agree_count = board_total.agree_count + excluded.agree_count,
    disagree_count = board_total.disagree_count + excluded.disagree_count,
    pass_count = board_total.pass_count + excluded.pass_count

-- name: totals_add :none each
-- Adds to the totals of boards, to each once.
-- in: board uuid, posts int, comments int, votable int, voters int, agree int, disagree int, pass int
-- sqlite:
$$total_insert
VALUES ($board, $posts, $comments, $votable, $voters, $agree, $disagree, $pass)
$$total_added;
-- postgres:
$$total_insert
SELECT * FROM unnest($board, $posts, $comments, $votable, $voters, $agree, $disagree, $pass)
$$total_added;

-- fragment: voter_added
ON CONFLICT (board_id, member_id) DO UPDATE
SET vote_count = board_voter.vote_count + excluded.vote_count, voted_count = board_voter.voted_count + excluded.voted_count
RETURNING board_id, member_id, vote_count

-- name: voters_add :many each
-- Adds to the votes that members have on boards, and to those of them on posts that take votes; gives what there are now.
-- in: board uuid, member uuid, votes int, voted int
-- out: board_id uuid, member_id uuid, vote_count int
-- bounded: a row for each row that is given
-- sqlite:
INSERT INTO board_voter (board_id, member_id, vote_count, voted_count) VALUES ($board, $member, $votes, $voted)
$$voter_added;
-- postgres:
INSERT INTO board_voter (board_id, member_id, vote_count, voted_count) SELECT * FROM unnest($board, $member, $votes, $voted)
$$voter_added;

-- name: votable_posts :many each
-- Which of some items are posts that took votes until they were deleted, if they were.
-- in: id uuid
-- out: id uuid
-- sqlite:
SELECT id FROM item WHERE id = $id AND parent_id IS NULL AND moderation <> 3 LIMIT 1;
-- postgres:
SELECT i.id
  FROM unnest($id) AS wanted (id)
 CROSS JOIN LATERAL (SELECT * FROM item WHERE item.id = wanted.id LIMIT 1) i
 WHERE i.parent_id IS NULL AND i.moderation <> 3;

-- name: voted_posts_gone :none each
-- Posts that take no more votes: they no longer count for those who voted on them. Nobody votes on them any more meanwhile.
-- in: board uuid, item uuid
-- sqlite:
UPDATE board_voter SET voted_count = voted_count - 1
 WHERE board_id = $board AND member_id IN (SELECT member_id FROM vote WHERE item_id = $item);
-- postgres:
UPDATE board_voter SET voted_count = voted_count - gone.votes
  FROM (SELECT post.board, v.member_id, COUNT(*) AS votes
          FROM unnest($board, $item) AS post (board, item) JOIN vote v ON v.item_id = post.item
         GROUP BY post.board, v.member_id) gone
 WHERE board_voter.board_id = gone.board AND board_voter.member_id = gone.member_id;

-- ---- conversations: import and export ----

-- name: conversation_progress_of :optional
-- How far the import of a file has come.
-- in: board uuid, file text
-- out: line int
SELECT line FROM conversation_progress WHERE board_id = $board AND file = $file;

-- name: conversation_progress_set :none
-- Notes how far the import of a file has come.
-- in: board uuid, file text, line int
INSERT INTO conversation_progress (board_id, file, line) VALUES ($board, $file, $line)
    ON CONFLICT (board_id, file) DO UPDATE SET line = excluded.line;

-- name: conversation_item_by_number :optional
-- The post that a conversation calls by a number.
-- in: board uuid, number int
-- out: item_id uuid
SELECT item_id FROM conversation_item WHERE board_id = $board AND number = $number;

-- name: conversation_item_insert :none
-- A post's number in its conversation.
-- in: board uuid, number int, item uuid
INSERT INTO conversation_item (board_id, number, item_id) VALUES ($board, $number, $item);

-- name: conversation_items :many
-- The posts of a board that have a number, from above `after`.
-- in: board uuid, after int, limit int
-- out: number int, item_id uuid, created_at time
SELECT c.number, c.item_id, i.created_at
  FROM conversation_item c JOIN item i ON i.id = c.item_id
 WHERE c.board_id = $board AND c.number > $after
 ORDER BY c.number
 LIMIT $limit;

-- name: conversation_members_set :none each
-- Participants' numbers in their conversation, where those are free.
-- in: board uuid, number int, member uuid
-- sqlite:
INSERT INTO conversation_member (board_id, number, member_id) VALUES ($board, $number, $member) ON CONFLICT DO NOTHING;
-- postgres:
INSERT INTO conversation_member (board_id, number, member_id) SELECT * FROM unnest($board, $number, $member)
    ON CONFLICT DO NOTHING;

-- name: conversation_members_of :many each
-- Whom a conversation calls by some numbers.
-- in: board uuid, number int
-- out: number int, member_id uuid
-- sqlite:
SELECT number, member_id FROM conversation_member WHERE board_id = $board AND number = $number LIMIT 1;
-- postgres:
SELECT m.number, m.member_id
  FROM unnest($board, $number) AS wanted (board, number)
 CROSS JOIN LATERAL (SELECT * FROM conversation_member c WHERE c.board_id = wanted.board AND c.number = wanted.number LIMIT 1) m;

-- name: conversation_number_items :none
-- Gives the posts of a board that have none the next free numbers, in the order of their ids.
-- in: board uuid
INSERT INTO conversation_item (board_id, number, item_id)
SELECT i.board_id,
       (SELECT COALESCE(MAX(number), -1) FROM conversation_item WHERE board_id = $board)
         + ROW_NUMBER() OVER (ORDER BY i.id),
       i.id
  FROM item i
 WHERE i.board_id = $board AND i.parent_id IS NULL
   AND NOT EXISTS (SELECT 1 FROM conversation_item c WHERE c.item_id = i.id);

-- name: conversation_number_members :none
-- Gives those who wrote or voted on a post of a board and have none the next free numbers, in the order of their ids.
-- in: board uuid
INSERT INTO conversation_member (board_id, number, member_id)
SELECT p.board_id,
       (SELECT COALESCE(MAX(number), -1) FROM conversation_member WHERE board_id = $board)
         + ROW_NUMBER() OVER (ORDER BY p.member_id),
       p.member_id
  FROM (SELECT board_id, author_id AS member_id FROM item WHERE board_id = $board AND parent_id IS NULL
        UNION
        SELECT i.board_id, v.member_id FROM item i JOIN vote v ON v.item_id = i.id
         WHERE i.board_id = $board AND i.parent_id IS NULL) p
 WHERE NOT EXISTS (SELECT 1 FROM conversation_member m WHERE m.board_id = $board AND m.member_id = p.member_id);

-- name: export_items :many
-- The posts of a board that stand, by their numbers, from above `after`.
-- in: board uuid, after int, limit int
-- out: id uuid, number int, author int, title text, created_at time, moderation int, agree_count int, disagree_count int
SELECT i.id, c.number, p.number, i.title, i.created_at, i.moderation, i.agree_count, i.disagree_count
  FROM conversation_item c
  JOIN item i ON i.id = c.item_id
  JOIN conversation_member p ON p.board_id = c.board_id AND p.member_id = i.author_id
 WHERE c.board_id = $board AND c.number > $after AND i.deleted_at IS NULL
 ORDER BY c.number
 LIMIT $limit;

-- name: export_votes :many
-- The votes that stand on a post, by the ids of members, from above `after`.
-- in: board uuid, item uuid, after uuid, limit int
-- out: member_id uuid, number int, value int, cast_at time
SELECT v.member_id, p.number, v.value, v.cast_at
  FROM vote v
  JOIN conversation_member p ON p.board_id = $board AND p.member_id = v.member_id
 WHERE v.item_id = $item AND v.member_id > $after
 ORDER BY v.member_id
 LIMIT $limit;
