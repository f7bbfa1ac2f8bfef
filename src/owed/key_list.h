#pragma once
/* A queue threaded through a column. A key can wait in it once, and waiting takes no memory.
 *
 * Thread: the flusher's. */

#include "owed/keys.h"

struct key_list {
    uint32_t head, tail, count;
};

static inline void key_list_push(struct key_list *l, uint32_t *next, uint32_t key)
{
    if (l->count++)
        next[l->tail] = key;
    else
        l->head = key;
    l->tail = key;
}

/* Returns KEY_NONE when it is empty. */
static inline uint32_t key_list_pop(struct key_list *l, const uint32_t *next)
{
    if (l->count == 0)
        return KEY_NONE;
    uint32_t key = l->head;
    if (--l->count)
        l->head = next[key];
    return key;
}
