-- Boards, the posts and comments on them (items), and the votes on those.

CREATE TABLE board (
    id uuid NOT NULL PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    title text NOT NULL,
    description text NOT NULL,
    kind bigint NOT NULL,            -- 1 discussion, 2 statements
    created_by uuid,                 -- null: by an import
    created_at bigint NOT NULL,
    closed_at bigint,
    version bigint NOT NULL
);

-- A post (parent_id null, root_id its own id) or a comment (parent_id the post or the comment above, root_id the post).
CREATE TABLE item (
    id uuid NOT NULL PRIMARY KEY,
    board_id uuid NOT NULL REFERENCES board (id),
    root_id uuid NOT NULL,
    parent_id uuid,
    depth bigint NOT NULL,           -- 0 for a post
    author_id uuid NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    created_at bigint NOT NULL,
    edited_at bigint,
    deleted_at bigint,
    moderation bigint NOT NULL,      -- 1 accepted, 2 waiting, 3 rejected
    version bigint NOT NULL,
    reply_count bigint NOT NULL DEFAULT 0,   -- directly below
    comment_count bigint NOT NULL DEFAULT 0, -- in the whole thread; of posts only
    agree_count bigint NOT NULL DEFAULT 0,
    disagree_count bigint NOT NULL DEFAULT 0,
    pass_count bigint NOT NULL DEFAULT 0,
    score bigint NOT NULL DEFAULT 0  -- the lower bound of agreement, in billionths
);

CREATE INDEX post_by_board ON item (board_id, id) WHERE parent_id IS NULL;
CREATE INDEX post_by_score ON item (board_id, score, id) WHERE parent_id IS NULL;
CREATE INDEX comment_by_parent ON item (parent_id, id) WHERE parent_id IS NOT NULL;

-- The one vote that stands per person and item.
CREATE TABLE vote (
    item_id uuid NOT NULL,
    member_id uuid NOT NULL,
    value bigint NOT NULL,           -- 1 agree, 2 disagree, 3 pass
    cast_at bigint NOT NULL,
    PRIMARY KEY (item_id, member_id)
);

-- What the forum knows of members, from identity's log.
CREATE TABLE member (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL
);

-- Totals of a board, and who has votes that stand on it: kept by the reader forum.totals from the forum's own log, so
-- that no two votes on a board wait for each other.
CREATE TABLE board_total (
    board_id uuid NOT NULL PRIMARY KEY,
    post_count bigint NOT NULL,
    comment_count bigint NOT NULL,
    voter_count bigint NOT NULL,
    agree_count bigint NOT NULL,
    disagree_count bigint NOT NULL,
    pass_count bigint NOT NULL
);

CREATE TABLE board_voter (
    board_id uuid NOT NULL,
    member_id uuid NOT NULL,
    vote_count bigint NOT NULL,
    PRIMARY KEY (board_id, member_id)
);
