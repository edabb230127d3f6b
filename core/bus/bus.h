/*
 * The bus: nudges between loops and (with a server behind it) processes: "the log of forum has grown". It
 * carries hints only; whoever misses one finds the entries by looking. Shaped so that a NATS twin fits:
 * subjects are text, payloads bytes.
 */
#ifndef FOLKMOOT_BUS_H
#define FOLKMOOT_BUS_H

#include "core/runtime/loop.h"

typedef struct bus bus_t;
typedef struct bus_subscription bus_subscription_t;

bus_t *bus_open(str_t url, str_t *error); /* "local:" */
void bus_close(bus_t *bus);

/* Tells all subscribers of `subject`. Any thread. Cheap when nobody listens; several within one turn may
 * arrive as one, with the last payload. */
void bus_publish(bus_t *bus, const char *subject, str_t payload);

/* Calls heard(arg, payload) on `loop`'s thread for each publication from now on. payload lives during the
 * call. At most 256 bytes. */
bus_subscription_t *bus_subscribe(bus_t *bus, loop_t *loop, const char *subject,
                                  void (*heard)(void *arg, str_t payload), void *arg);
void bus_unsubscribe(
    bus_subscription_t *subscription); /* on the loop's thread; nothing is heard after it returns */

#endif
