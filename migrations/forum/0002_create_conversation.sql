-- What an imported conversation called its records, so that an export gives the same numbers, and how far an import has come.

CREATE TABLE conversation_item (
    board_id uuid NOT NULL,
    number bigint NOT NULL,
    item_id uuid NOT NULL UNIQUE,
    PRIMARY KEY (board_id, number)
);

CREATE TABLE conversation_member (
    board_id uuid NOT NULL,
    number bigint NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (board_id, number),
    UNIQUE (board_id, member_id)
);

CREATE TABLE conversation_progress (
    board_id uuid NOT NULL,
    file text NOT NULL,
    line bigint NOT NULL,           -- the rows up to here are in
    PRIMARY KEY (board_id, file)
);
