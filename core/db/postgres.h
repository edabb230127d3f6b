/*
 * The PostgreSQL driver's inside. One mechanism carries everything: a connection in pipeline mode, and calls
 * that are queued on it and answered in order. A fiber waits for its call parked on the loop; a thread
 * without a fiber waits for it in poll().
 *
 *   postgres.c              the driver's table; what each thread has of a database
 *   postgres_admin.c        the blocking connection that migrates and checks
 *   postgres_check.c        every statement against the schema
 *   postgres_address.c      from a URL to libpq's parameters
 *   postgres_names.c        from the names of hosts to their addresses
 *   postgres_connect.c      opening, losing and reopening connections
 *   postgres_pipeline.c     calls: queued, sent, answered
 *   postgres_wait.c         how a fiber or a thread waits
 *   postgres_pool.c         connections on lease
 *   postgres_read.c         statements outside of transactions
 *   postgres_transaction.c  bodies, again after a conflict
 *   postgres_conflict.c     how bodies that collide get past each other
 *   postgres_statement.c    statements inside and outside of bodies, their results
 *   postgres_codec.c        values to and from PostgreSQL's binary form
 *   postgres_error.c        what an SQLSTATE means for us
 */
#ifndef FOLKMOOT_POSTGRES_H
#define FOLKMOOT_POSTGRES_H

#include <libpq-fe.h>
#include <pthread.h>

#include "core/db/driver.h"

enum {
    POSTGRES_PARAMETERS_MAX = 64,
    POSTGRES_CALLS_MAX = 4096,     /* in flight on a reading connection */
    POSTGRES_BODY_CALLS_MAX = 256, /* queued by a body before it waits for them */
    POSTGRES_SLOW_MAX = 2,         /* connections for slow statements, per thread */
    POSTGRES_LEASES_MAX = 64,
    POSTGRES_KEYWORDS_MAX = 64, /* of libpq's parameters; it has some forty */
};

typedef struct postgres postgres_t;
typedef struct postgres_thread postgres_thread_t;
typedef struct connection connection_t;
typedef struct pool pool_t;

/* ---- waiting (postgres_wait.c) ---- */

/* Somebody in a queue; lies on the stack of who waits. */
typedef struct waiter {
    struct waiter *next, *previous;
    fiber_t *fiber;
    bool called;         /* its turn has come; it is out of the queue */
    connection_t *given; /* by a pool */
} waiter_t;

typedef struct queue {
    waiter_t *first, *last;
    size_t length;
} queue_t;

void postgres_queue_join(queue_t *queue, waiter_t *waiter, bool in_front);
void postgres_queue_leave(queue_t *queue, waiter_t *waiter); /* fine when it was called already */
waiter_t *postgres_queue_call(queue_t *queue);               /* the first one, woken; NULL when none waits */

/* Waits until something may have changed: for a fiber a wake, for a thread an answer on one of its
 * connections. */
wake_t postgres_wait(postgres_thread_t *mine, int64_t deadline);

/* Lets time pass: WAKE_CALLED after it, or else what ended it before. */
wake_t postgres_pause(postgres_thread_t *mine, int64_t duration_us, int64_t deadline);

/* Waits until the waiter is called. */
wake_t postgres_wait_called(postgres_thread_t *mine, waiter_t *waiter, int64_t deadline);

/* Ends the request as req_wait does when the wait did not end in WAKE_CALLED. */
void postgres_check_wake(req_t *req, wake_t wake);

/* ---- calls (postgres_pipeline.c) ---- */

typedef enum call_kind { CALL_PREPARE, CALL_STATEMENT, CALL_COMMAND, CALL_SYNC } call_kind_t;

typedef enum call_end {
    CALL_ANSWERED,
    CALL_REFUSED, /* the result says why */
    CALL_SKIPPED, /* another call before it failed */
    CALL_LOST     /* the connection went before the answer came */
} call_end_t;

/* One thing asked of the server. Its result is its own: the request that asked may be gone when the answer
 * comes. */
typedef struct call {
    struct call *next;
    call_kind_t kind;
    call_end_t end;
    bool done;
    bool kept;     /* somebody takes it, and frees it; else it is freed when answered */
    bool prepared; /* when it was answered, its statement had been prepared */
    const statement_t *statement;
    PGresult *result;
    fiber_t *fiber; /* to wake */
} call_t;

/* What first went wrong on a connection since it was last cleared. */
typedef struct failure {
    bool happened;
    char sqlstate[6];
    const statement_t *statement; /* NULL: a command */
} failure_t;

call_t *postgres_send_statement(connection_t *connection, const statement_t *statement, const void *in,
                                bool kept);
call_t *postgres_send_command(connection_t *connection, const char *sql, bool kept);
void postgres_sync(connection_t *connection);       /* ends the segment and sends what is queued */
void postgres_sync_later(connection_t *connection); /* at the end of the loop's turn, once for all */
void postgres_receive(connection_t *connection);    /* the socket may have something */
void postgres_call_free(call_t *call);
void postgres_calls_lost(connection_t *connection);

/* Waits for the answer. When it does not come in time the call is left to be freed by itself. */
wake_t postgres_call_wait(connection_t *connection, call_t *call, int64_t deadline);

/* ---- connections (postgres_connect.c) ---- */

typedef enum connection_state {
    CONNECTION_CLOSED,
    CONNECTION_RESOLVING, /* a fiber of its own waits for the addresses of its hosts */
    CONNECTION_CONNECTING,
    CONNECTION_RESTING, /* it could not connect and will try again */
    CONNECTION_OPEN
} connection_state_t;

enum { PREPARED_NOT, PREPARED_SENT, PREPARED };

struct connection {
    postgres_thread_t *mine;
    pool_t *pool; /* NULL: the reading one */
    PGconn *link;
    connection_state_t state;
    loop_watch_t watch;
    uint32_t events; /* wanted of the socket */
    loop_timer_t timer;
    loop_flush_t flush;
    call_t *first, *last; /* what the server owes, in order */
    size_t owed;
    size_t unsynced; /* calls since the last sync */
    bool answering;  /* the first call's result is there, and not yet the NULL that ends it */
    uint8_t *prepared;
    unsigned failures; /* to connect, in a row */
    bool unreachable;  /* counted in postgres->unreachable */
    bool leased;
    bool draining; /* given back, but not clean yet */
    failure_t failure;
};

void postgres_ignore_notice(void *arg, const PGresult *notice);
void postgres_connection_init(connection_t *connection, postgres_thread_t *mine, pool_t *pool);
void postgres_connect(connection_t *connection); /* begins, when it is closed */
void postgres_disconnect(connection_t *connection);
void postgres_connection_lost(
    connection_t *connection); /* calls are lost, and it is opened again when needed */
void postgres_connection_want(connection_t *connection, uint32_t events);
void postgres_connection_timer(connection_t *connection, int64_t due); /* NEVER: none */
void postgres_connection_ready(connection_t *connection);              /* its socket is */
void postgres_connection_expire(connection_t *connection);             /* its timer has */

/* ---- leases (postgres_pool.c) ---- */

struct pool {
    postgres_thread_t *mine;
    connection_t **connections; /* made when first needed */
    size_t count, most;
    queue_t queue;
};

/* Takes a connection that is open and clean; ends in fail() when none comes in time. */
connection_t *postgres_lease(pool_t *pool, req_t *req, bool in_front);
/* Gives it back: to others once it has answered all and is outside of any transaction. */
void postgres_lease_end(connection_t *connection);
void postgres_pool_opened(connection_t *connection);   /* a connection of the pool is open */
void postgres_pool_lost(connection_t *connection);     /* a connection of the pool is closed */
void postgres_pool_answered(connection_t *connection); /* it owes nothing any more */
void postgres_pool_expire(connection_t *connection);   /* its timer did */

/* ---- bodies that collide (postgres_conflict.c) ---- */

/* The bodies of one thread on one database. One that was undone by a conflict (a repeater) runs again while
 * no other repeater does. While one has priority the door is closed: no new body begins. */
typedef struct crossing {
    bool taken; /* by a repeater */
    bool closed;
    queue_t repeaters, newcomers;
} crossing_t;

wake_t postgres_crossing_enter(postgres_thread_t *mine, int64_t deadline);
wake_t postgres_crossing_repeat(postgres_thread_t *mine,
                                int64_t deadline); /* CALLED: it is the repeater now */
/* Before the repeater tries once more; one that was undone often gets priority over all threads. */
wake_t postgres_crossing_again(postgres_thread_t *mine, bool often, int64_t deadline);
void postgres_crossing_leave(postgres_thread_t *mine); /* the repeater is through */

/* ---- the parts of a database ---- */

/* What one thread has of a database: for its fibers, or (loop NULL) for itself. */
struct postgres_thread {
    postgres_thread_t *next;
    postgres_t *postgres;
    const void *owner; /* the loop, or the thread */
    loop_t *loop;
    connection_t reading;
    queue_t readers; /* who waits for the reading connection */
    bool outage;     /* told of: a connection was lost or could not be opened, and none was opened since */
    pool_t writing, slow;
    crossing_t crossing;
};

typedef struct connect_parameters {
    char **keywords, **values; /* for PQconnectStartParams, ended by NULL */
} connect_parameters_t;

struct postgres {
    database_t *database;
    uint64_t serial; /* tells it from every other that this process has had */
    connect_parameters_t reading, writing, slow;
    PGconn *admin;
    size_t leases_most;
    int64_t statement_timeout_us;
    pthread_mutex_t lock; /* of `threads` */
    postgres_thread_t *threads;
    _Atomic(postgres_thread_t *) prior; /* whose repeater has priority; NULL: nobody's */
    atomic_int unreachable;             /* reading connections that cannot be opened now */
};

postgres_thread_t *postgres_mine(database_t *database);

/* A tx of this driver; connection NULL: a reading one. */
typedef struct transaction {
    tx_t tx;
    postgres_thread_t *mine;
    connection_t *connection;
    bool begun;       /* BEGIN was queued, and neither COMMIT nor ROLLBACK has been answered */
    bool commit_sent; /* and not answered */
} transaction_t;

/* ---- addresses (postgres_address.c) ---- */

/* The parameters of the connections; false with *error when the URL cannot be used. No part of the URL is in
 * the error. */
bool postgres_address_read(postgres_t *postgres, arena_t *arena, str_t *error);
void postgres_address_free(postgres_t *postgres);

/* ---- names of hosts (postgres_names.c) ---- */

typedef struct names {
    arena_t *arena;                    /* to be freed by who made it */
    const char *hosts, *ports;         /* as in the URL: lists with commas */
    const char *host, *address, *port; /* lists of `count` each: what they stand for */
    size_t count;                      /* 0: see `error` */
    const char *error;
} names_t;

bool postgres_names_needed(const connect_parameters_t *parameters); /* any host is given by its name */
names_t postgres_names_of(const connect_parameters_t *parameters);
void postgres_names_resolve(void *names); /* blocks */

/* Begins to connect, to the addresses that were found; names NULL: libpq finds them itself. */
PGconn *postgres_connect_start(const connect_parameters_t *parameters, const names_t *names);

/* ---- blocking (postgres_admin.c) ---- */

/* A plain blocking connection with the writing parameters; NULL with *error. */
PGconn *postgres_admin_connect(postgres_t *postgres, arena_t *arena, str_t *error);
bool postgres_admin_open(database_t *database, arena_t *arena, str_t *error);
bool postgres_journal(database_t *database, const char *set, arena_t *arena, applied_migration_t **rows,
                      size_t *count, str_t *error);
bool postgres_migrate(database_t *database, const char *set, const migration_t *migration, arena_t *arena,
                      str_t *error);
bool postgres_check(database_t *database, arena_t *arena, str_t *error); /* postgres_check.c */
str_t postgres_message(arena_t *arena, const char *message);             /* libpq's, on one line */

/* ---- values (postgres_codec.c) ---- */

/* The parameters of one call in libpq's form; `numbers` holds what has no memory of its own. */
typedef struct parameters {
    const char *values[POSTGRES_PARAMETERS_MAX];
    int lengths[POSTGRES_PARAMETERS_MAX];
    int formats[POSTGRES_PARAMETERS_MAX];
    uint64_t numbers[POSTGRES_PARAMETERS_MAX];
} parameters_t;

void postgres_encode(const statement_t *statement, const void *in, parameters_t *parameters);
void postgres_parameters_free(const statement_t *statement, parameters_t *parameters); /* after sending */

/* Decodes a row into memory of the arena; returns the first column that does not fit its slot, or -1. */
int postgres_decode(const statement_t *statement, const PGresult *result, int row, void *out, arena_t *arena);
Oid postgres_type(value_type_t type);
Oid postgres_parameter_type(const statement_t *statement, size_t place);
const char *postgres_type_name(value_type_t type);
bool postgres_type_fits(value_type_t type, Oid oid); /* a column of that type can be decoded */

/* ---- errors (postgres_error.c) ---- */

typedef enum trouble {
    TROUBLE_CONFLICT,  /* run the body again */
    TROUBLE_DUPLICATE, /* a conflict, or a mistake of the body */
    TROUBLE_AWAY,      /* the server or the connection is of no use now */
    TROUBLE_STALE,     /* the connection's prepared statements are */
    TROUBLE_SLOW,
    TROUBLE_FULL,
    TROUBLE_TEXT, /* a text that PostgreSQL cannot store */
    TROUBLE_BROKEN
} trouble_t;

trouble_t postgres_trouble(const char *sqlstate);
const char *postgres_sqlstate(const PGresult *result); /* "00000" when it has none */

/* Ends the request for this trouble, with a log line when somebody should look. `statement` NULL: a command.
 */
_Noreturn void postgres_fail(req_t *req, const statement_t *statement, const char *sqlstate);
_Noreturn void postgres_fail_column(req_t *req, const statement_t *statement, int column);
_Noreturn void postgres_fail_away(req_t *req);

/* ---- statements ---- */

/* Outside of transactions (postgres_read.c): the statement's result, to be cleared by the caller. */
PGresult *postgres_read(transaction_t *reading, const statement_t *statement, const void *in);
/* In a body (postgres_transaction.c): queued, or sent and answered. */
void postgres_body_queue(transaction_t *transaction, const statement_t *statement, const void *in);
PGresult *postgres_body_ask(transaction_t *transaction, const statement_t *statement, const void *in);

tx_t *postgres_reading(req_t *req, database_t *database); /* postgres_statement.c */
bool postgres_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row);
size_t postgres_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows);
int64_t postgres_run(tx_t *tx, const statement_t *statement, const void *in);

void postgres_transact(req_t *req, database_t *database, void (*body)(tx_t *tx, void *arg), void *arg,
                       bool *appended);

#endif
