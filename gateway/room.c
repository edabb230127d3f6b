/* How many of something each member or address has: connections, live streams. There are some thousands of
 * them, so a small table does. */
#include <arpa/inet.h>

#include "gateway/gateway.h"

enum { CHAINS = 1024, WHO_MOST = INET6_ADDRSTRLEN + 2 };

typedef struct seat {
    struct seat *next;
    size_t count, length;
    char who[WHO_MOST];
} seat_t;

struct room {
    pthread_mutex_t lock;
    seat_t *chains[CHAINS];
};

room_t *room_new(void)
{
    room_t *room = memory_new(sizeof *room);
    pthread_mutex_init(&room->lock, NULL);
    return room;
}

void room_free(room_t *room)
{
    for (size_t chain = 0; chain < CHAINS; chain++)
        for (seat_t *seat = room->chains[chain], *next; seat; seat = next) {
            next = seat->next;
            free(seat);
        }
    pthread_mutex_destroy(&room->lock);
    free(room);
}

/* FNV-1a; a chain is never longer than what is counted. */
static seat_t **chain_of(room_t *room, str_t who)
{
    uint32_t hash = 2166136261u;
    for (size_t place = 0; place < who.length; place++)
        hash = (hash ^ (uint8_t)who.at[place]) * 16777619u;
    return &room->chains[hash % CHAINS];
}

static seat_t **find(room_t *room, str_t who)
{
    seat_t **place = chain_of(room, who);
    while (*place && !str_equal((str_t){(*place)->who, (*place)->length}, who))
        place = &(*place)->next;
    return place;
}

bool room_take(room_t *room, str_t who, size_t most)
{
    pthread_mutex_lock(&room->lock);
    seat_t **place = find(room, who);
    if (*place == NULL) {
        *place = memory_new(sizeof **place);
        (*place)->length = who.length;
        memcpy((*place)->who, who.at, who.length);
    }
    bool free_seat = most == 0 || (*place)->count < most;
    (*place)->count += free_seat;
    pthread_mutex_unlock(&room->lock);
    return free_seat;
}

void room_give(room_t *room, str_t who)
{
    pthread_mutex_lock(&room->lock);
    seat_t **place = find(room, who), *seat = *place;
    if (seat && --seat->count == 0) {
        *place = seat->next;
        free(seat);
    }
    pthread_mutex_unlock(&room->lock);
}
