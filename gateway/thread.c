/* A thread that answers requests: h2o's loop outside, ours nested in it, and the steps of its end. */
#include <signal.h>

#include "gateway/follower.h"
#include "gateway/live.h"

#include "core/log/log.h"

/* The end of a thread, from the moment it is told. */
static const int64_t unlistened_after_us = 100 * MILLISECOND_US; /* connections that are being opened */
static const int64_t idle_closed_after_us = 1 * SECOND_US;       /* requests that are just being sent */
static const int64_t all_closed_after_us = 7 * SECOND_US;
static const int64_t given_up_after_us = 8 * SECOND_US;

_Thread_local gateway_thread_t *gateway_here;

/* Inside of h2o's turn: what an answer that is sent here leaves to be called back is called in the same turn.
 */
static void loop_is_ready(h2o_socket_t *socket, const char *error)
{
    gateway_thread_t *thread = socket->data;
    (void)error;
    loop_turn(thread->loop);
}

/* ---- the end ---- */

static void begin_stop(loop_message_t *message)
{
    gateway_thread_t *thread = CONTAINER_OF(message, gateway_thread_t, stop);
    thread->stop_began = clock_monotonic();
    listen_refuse_new(thread);
    live_loop_stop(thread->live);
    h2o_context_request_shutdown(&thread->context);
}

static void look_at_stop(gateway_thread_t *thread, int64_t now)
{
    int64_t since = now - thread->stop_began;
    if (since < unlistened_after_us)
        return;
    listen_close(thread);
    if (since >= idle_closed_after_us)
        guard_close_idle(thread, since >= all_closed_after_us);
    thread->done = thread->connections == NULL || since >= given_up_after_us;
}

/* ---- the work of each second, and in the end of each moment ---- */

static void second_passed(loop_timer_t *timer)
{
    gateway_thread_t *thread = CONTAINER_OF(timer, gateway_thread_t, second_timer);
    int64_t now = clock_monotonic();
    guard_look(thread, now);
    live_loop_look(thread->live, now);
    loop_timer_set(thread->loop, timer, now + SECOND_US);
}

static void turn(gateway_thread_t *thread)
{
    int wait = thread->turned ? 0 : loop_timeout_ms(thread->loop);
    if (thread->stop_began && wait > 20)
        wait = 20;
    h2o_evloop_run(thread->evloop, wait); /* -1 is an interrupted wait: nothing happened then */
    /* Timers and fibers that are ready. An answer that they send is complete for h2o only in its next turn,
     * which must not sleep first: the connection would not be read until then. */
    thread->turned = loop_timeout_ms(thread->loop) == 0;
    if (thread->turned)
        loop_turn(thread->loop);
    logline_flush();
    if (thread->stop_began)
        look_at_stop(thread, clock_monotonic());
}

/* ---- its life ---- */

static void begin(gateway_thread_t *thread)
{
    gateway_here = thread;
    loop_attach(thread->loop);
    thread->evloop = h2o_evloop_create();
    h2o_context_init(&thread->context, thread->evloop, &thread->gateway->config);
    thread->loop_socket =
        h2o_evloop_socket_create(thread->evloop, dup(loop_fd(thread->loop)), H2O_SOCKET_FLAG_DONT_READ);
    thread->loop_socket->data = thread;
    h2o_socket_read_start(thread->loop_socket, loop_is_ready);
    thread->hangup_timer.expire = exchange_watch_waiting;
    thread->second_timer.expire = second_passed;
    loop_timer_set(thread->loop, &thread->second_timer, clock_monotonic() + SECOND_US);
    listen_start(thread);
}

static void begin_background(gateway_t *gateway)
{
    revocations_start(gateway);
    live_readers_start(gateway);
    atomic_store(&gateway->readers, log_readers_start(gateway->host));
    jobs_start(gateway);
}

/* What is left of the fibers unwinds; h2o's loop goes on meanwhile, since their answers may still be written.
 */
static void end_fibers(gateway_thread_t *thread)
{
    int64_t until = clock_monotonic() + SECOND_US;
    fiber_cancel_all();
    while (fiber_count() > 0 && clock_monotonic() < until) {
        h2o_evloop_run(thread->evloop, 1);
        loop_turn(thread->loop);
        fiber_cancel_all();
    }
}

static void end(gateway_thread_t *thread)
{
    if (thread->connections)
        logline(LINE_WARNING, "connections_left", "thread", line_number(thread->index), NULL);
    if (thread->index == 0)
        log_readers_stop(atomic_exchange(&thread->gateway->readers, NULL));
    end_fibers(thread);
    loop_timer_clear(thread->loop, &thread->second_timer);
    loop_timer_clear(thread->loop, &thread->hangup_timer);
    h2o_socket_close(thread->loop_socket);
    h2o_evloop_run(thread->evloop, 0); /* frees the sockets that were closed */
    if (thread->connections == NULL) {
        h2o_timeout_unlink(
            &thread->context.http2._graceful_shutdown_timeout); /* else it would outlive its list */
        h2o_context_dispose(&thread->context);
        h2o_evloop_run(thread->evloop, 0);
        h2o_evloop_destroy(thread->evloop);
    }
    logline_flush();
}

void *thread_main(void *arg)
{
    gateway_thread_t *thread = arg;
    begin(thread);
    if (thread->index == 0)
        begin_background(thread->gateway);
    while (!thread->done)
        turn(thread);
    end(thread);
    return NULL;
}

void thread_prepare(gateway_t *gateway, unsigned index)
{
    gateway_thread_t *thread = &gateway->threads[index];
    thread->gateway = gateway;
    thread->index = index;
    thread->loop = loop_new();
    thread->live = live_loop_new(thread);
    thread->counters = counters_new(gateway);
    thread->stop.run = begin_stop;
    gateway->host->loops[index] = thread->loop;
    for (size_t place = 0; place < LISTENERS_MAX; place++)
        thread->listener_files[place] = -1;
}

void thread_free(gateway_thread_t *thread)
{
    loop_free(thread->loop);
    live_loop_free(thread->live);
    counters_free(thread->counters);
}
