#include "flush/top_looks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 5000

int top_looks_begin(struct top_looks *l, const struct env *env, struct keys *keys, bool inherits)
{
    *l = (struct top_looks){.env = env, .keys = keys, .ended = !inherits};
    l->question = calloc(1, sizeof(*l->question) + TOP_LOOKS_NAMES * sizeof(l->question->results[0]));
    return l->question ? 0 : -ENOMEM;
}

void top_looks_fini(struct top_looks *l)
{
    free(l->question);
    l->question = NULL;
}

static void add(struct top_looks *l, uint32_t key)
{
    struct answer *r = &l->question->results[l->question->count++];
    struct slice name = keys_name(l->keys, key);

    memcpy(r->name, name.at, name.bytes);
    r->name_bytes = (uint16_t)name.bytes;
}

static void add_unsure(struct top_looks *l)
{
    uint32_t keys[TOP_LOOKS_NAMES], count = tops_unsure(keys_tops(l->keys), TOP_LOOKS_NAMES, keys);

    for (uint32_t i = 0; i < count; i++)
        add(l, keys[i]);
}

static void add_inherited(struct top_looks *l)
{
    l->from = l->next;
    while (!l->ended && l->question->count < TOP_LOOKS_NAMES) {
        uint32_t key = keys_next_inherited_top(l->keys, &l->next.shard, &l->next.cell);
        l->ended = key == KEY_NONE;
        if (!l->ended)
            add(l, key);
    }
}

struct question *top_looks_ask(struct top_looks *l)
{
    uint64_t now_us = l->question ? env_now_us(l->env) : 0;

    if (now_us < top_looks_wake_us(l))
        return NULL;
    l->question->kind = ASK_READ;
    l->question->count = 0;
    l->question->deadline_ms = now_us / 1000 + DEADLINE_MS;
    add_unsure(l);
    add_inherited(l);
    l->next_us = now_us + TOP_LOOKS_PAUSE_US;
    l->asked = l->question->count > 0;
    return l->asked ? l->question : NULL;
}

bool top_looks_is(const struct top_looks *l, const struct question *question) { return question == l->question; }

static void take_one(const struct top_looks *l, const struct answer *r)
{
    uint32_t key = keys_find(l->keys, (struct slice){r->name, r->name_bytes});
    struct top *top = key == KEY_NONE ? NULL : keys_top(l->keys, key);

    if (!top)
        return;
    top_is_sure(keys_tops(l->keys), top, key);
    if (r->state == ANSWER_FOUND)
        top_note(keys_tops(l->keys), top, key, r->stored);
}

void top_looks_answered(struct top_looks *l, bool take)
{
    uint32_t failed = 0;

    l->asked = false;
    if (!take)
        return;
    for (const struct answer *r = l->question->results; r < l->question->results + l->question->count; r++) {
        failed += r->state == ANSWER_FAILED;
        if (r->state != ANSWER_FAILED)
            take_one(l, r);
    }
    if (failed)
        l->next_us = env_now_us(l->env) + TOP_LOOKS_RETRY_US;
    /* A key that holds no number has no answer. When it is the only one it is not asked for again. */
    if (failed > 1 && failed == l->question->count) {
        l->ended &= l->next.shard == l->from.shard && l->next.cell == l->from.cell;
        l->next = l->from;
    }
}

uint64_t top_looks_wake_us(const struct top_looks *l)
{
    bool wants = l->question && !l->asked && (!l->ended || tops_are_unsure(keys_tops(l->keys)));

    return wants ? l->next_us : UINT64_MAX;
}
