/*
 * The bus inside the process: a list of subjects, each with its subscriptions. A publication leaves its
 * payload with every subscription and sends the subscription's one message to its loop; what is published
 * before the loop gets there replaces the payload. So a subscription takes the same memory however fast
 * others publish.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/bus/bus.h"
#include "core/runtime/panic.h"

enum { PAYLOAD_MAX = 256 };

typedef struct subject {
    struct subject *next;
    bus_subscription_t *first;
    char name[];
} subject_t;

struct bus {
    pthread_mutex_t mutex;
    subject_t *subjects;
    atomic_size_t subscriptions;
};

struct bus_subscription {
    loop_message_t message;
    bus_subscription_t
        *next; /* of the subject; one that was given up stays listed until its message has arrived */
    bus_t *bus;
    subject_t *subject;
    loop_t *loop;
    void (*heard)(void *arg, str_t payload);
    void *arg;
    bool sent, closed;
    size_t payload_length;
    char payload[PAYLOAD_MAX];
};

bus_t *bus_open(str_t url, str_t *error)
{
    if (!str_equal(url, STR("local:"))) {
        *error = STR("The bus's address must be \"local:\": no other kind is built in.");
        return NULL;
    }
    bus_t *bus = memory_new(sizeof *bus);
    pthread_mutex_init(&bus->mutex, NULL);
    return bus;
}

void bus_close(bus_t *bus)
{
    if (!bus)
        return;
    for (subject_t *subject = bus->subjects, *next; subject; subject = next) {
        next = subject->next;
        for (bus_subscription_t *subscription = subject->first, *later; subscription; subscription = later) {
            later = subscription->next;
            free(subscription);
        }
        free(subject);
    }
    pthread_mutex_destroy(&bus->mutex);
    free(bus);
}

static subject_t *subject_find(bus_t *bus, const char *name)
{
    for (subject_t *subject = bus->subjects; subject; subject = subject->next) {
        if (strcmp(subject->name, name) == 0)
            return subject;
    }
    return NULL;
}

void bus_publish(bus_t *bus, const char *name, str_t payload)
{
    if (atomic_load_explicit(&bus->subscriptions, memory_order_acquire) == 0)
        return;
    size_t length = payload.length < PAYLOAD_MAX ? payload.length : PAYLOAD_MAX;
    pthread_mutex_lock(&bus->mutex);
    subject_t *subject = subject_find(bus, name);
    for (bus_subscription_t *each = subject ? subject->first : NULL; each; each = each->next) {
        if (each->closed)
            continue;
        if (length)
            memcpy(each->payload, payload.at, length);
        each->payload_length = length;
        if (!each->sent)
            loop_send(each->loop, &each->message);
        each->sent = true;
    }
    pthread_mutex_unlock(&bus->mutex);
}

static void subject_free(bus_t *bus, subject_t *subject)
{
    subject_t **place = &bus->subjects;

    while (*place != subject)
        place = &(*place)->next;
    *place = subject->next;
    free(subject);
}

/* The bus's mutex is held. */
static void subscription_free(bus_subscription_t *subscription)
{
    bus_subscription_t **place = &subscription->subject->first;

    while (*place != subscription)
        place = &(*place)->next;
    *place = subscription->next;
    if (!subscription->subject->first)
        subject_free(subscription->bus, subscription->subject);
    free(subscription);
}

static void subscription_deliver(loop_message_t *message)
{
    bus_subscription_t *subscription = CONTAINER_OF(message, bus_subscription_t, message);
    bus_t *bus = subscription->bus;
    char payload[PAYLOAD_MAX + 1];

    pthread_mutex_lock(&bus->mutex);
    subscription->sent = false;
    if (subscription->closed) {
        subscription_free(subscription);
        pthread_mutex_unlock(&bus->mutex);
        return;
    }
    size_t length = subscription->payload_length;
    memcpy(payload, subscription->payload, length);
    payload[length] = '\0';
    pthread_mutex_unlock(&bus->mutex);
    /* It may end its own subscription: nothing of it is touched afterwards. */
    subscription->heard(subscription->arg, (str_t){payload, length});
}

bus_subscription_t *bus_subscribe(bus_t *bus, loop_t *loop, const char *name,
                                  void (*heard)(void *arg, str_t payload), void *arg)
{
    bus_subscription_t *subscription = memory_new(sizeof *subscription);

    subscription->message.run = subscription_deliver;
    subscription->bus = bus;
    subscription->loop = loop;
    subscription->heard = heard;
    subscription->arg = arg;
    pthread_mutex_lock(&bus->mutex);
    subject_t *subject = subject_find(bus, name);
    if (!subject) {
        size_t size = strlen(name) + 1;
        subject = memory_new(sizeof *subject + size);
        memcpy(subject->name, name, size);
        subject->next = bus->subjects;
        bus->subjects = subject;
    }
    subscription->subject = subject;
    subscription->next = subject->first;
    subject->first = subscription;
    atomic_fetch_add_explicit(&bus->subscriptions, 1, memory_order_release);
    pthread_mutex_unlock(&bus->mutex);
    return subscription;
}

void bus_unsubscribe(bus_subscription_t *subscription)
{
    if (!subscription)
        return;
    bus_t *bus = subscription->bus;

    pthread_mutex_lock(&bus->mutex);
    atomic_fetch_sub_explicit(&bus->subscriptions, 1, memory_order_release);
    subscription->closed = true;
    if (!subscription->sent)
        subscription_free(subscription);
    pthread_mutex_unlock(&bus->mutex);
}
