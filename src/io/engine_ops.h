#pragma once
/* What an engine implements. It is private to io/.
 *
 * Thread: the engine's, but for what is said at a field. */

#include <stddef.h>

#include "io/engine.h"

struct engine_ops {
    const char *name;
    int (*create)(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err);
    void (*destroy)(struct engine *e);
    int (*run)(struct engine *e);
    void (*send)(struct engine *e, uint32_t slot, const void *data, size_t bytes);
    void (*recv_pause)(struct engine *e, uint32_t slot);
    void (*recv_resume)(struct engine *e, uint32_t slot);
    void (*shutdown)(struct engine *e, uint32_t slot);
    void (*close)(struct engine *e, uint32_t slot);
    void (*accept_stop)(struct engine *e);
    void (*peer_ask)(struct engine *e, uint32_t slot); /* NULL when it cannot */
    int (*descriptor)(const struct engine *e, uint32_t slot);
};

/* The first member of every engine. */
struct engine {
    uint64_t now_ms; /* first: engine_now_ms() */
    uint64_t now_us; /* second: engine_now_us() */
    uint64_t ticked_ms;
    const struct engine_ops *ops;
    const struct engine_events *events;
    void *ctx;
    struct engine_config config;
    struct engine_stats stats; /* the engine's thread writes, any reads */
    int wake_fd;               /* an eventfd. Any thread writes, the engine reads */
    uint32_t stopping;         /* engine_stop() stores it on any thread, the engine loads it after a wake */
};

_Static_assert(offsetof(struct engine, now_ms) == 0, "where engine_now_ms() looks");
_Static_assert(offsetof(struct engine, now_us) == sizeof(uint64_t), "where engine_now_us() looks");

/* Reads the clock for this batch and ticks when it is time. */
void engine_batch_begin(struct engine *e);

extern const struct engine_ops uring_ops, epoll_ops;
