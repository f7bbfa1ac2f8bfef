#include "redis/resp.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#if HIREDIS_MAJOR >= 1
typedef size_t array_count;
#else
typedef int array_count;
#endif

struct resp_reader {
    struct redisReader *hiredis; /* owned */
    struct resp_limits limits;
    struct reply *nodes; /* owned; of one tree, children of an array side by side */
    char *text;          /* owned; of one tree */
    uint32_t nodes_used;
    uint32_t text_used;
    bool delivered; /* the tree in the arena was handed out: the next one starts afresh */
    bool broken;
};

/* ---- building the tree; hiredis calls these, NULL makes it give up ---- */

static struct reply *node_place(const redisReadTask *task)
{
    struct resp_reader *r = task->privdata;

    if (task->parent) {
        const struct reply *array = task->parent->obj;
        return r->nodes + (array->items - r->nodes) + task->idx;
    }
    if (r->delivered) {
        r->nodes_used = 0;
        r->text_used = 0;
        r->delivered = false;
    }
    return &r->nodes[r->nodes_used++];
}

static bool reply_type_of(int hiredis_type, enum reply_type *type)
{
    switch (hiredis_type) {
    case REDIS_REPLY_STRING: *type = REPLY_STRING; return true;
    case REDIS_REPLY_STATUS: *type = REPLY_STATUS; return true;
    case REDIS_REPLY_ERROR: *type = REPLY_ERROR; return true;
    default: return false; /* RESP3, which was never asked for */
    }
}

static void *create_string(const redisReadTask *task, char *at, size_t bytes)
{
    struct resp_reader *r = task->privdata;
    enum reply_type type;

    struct reply *node = node_place(task);
    if (!reply_type_of(task->type, &type) || bytes > r->limits.text_bytes_max - r->text_used)
        return NULL;
    memcpy(r->text + r->text_used, at, bytes);
    *node = (struct reply){.type = type, .text = {r->text + r->text_used, bytes}};
    r->text_used += (uint32_t)bytes;
    return node;
}

static void *create_array(const redisReadTask *task, array_count count)
{
    struct resp_reader *r = task->privdata;

    struct reply *node = node_place(task);
    if (task->type != REDIS_REPLY_ARRAY || (int64_t)count < 0 ||
        (int64_t)count > (int64_t)r->limits.nodes_max - r->nodes_used)
        return NULL;
    *node = (struct reply){.type = REPLY_ARRAY, .items_count = (uint32_t)count, .items = r->nodes + r->nodes_used};
    r->nodes_used += (uint32_t)count;
    return node;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    struct reply *node = node_place(task);

    *node = (struct reply){.type = REPLY_INTEGER, .integer = value};
    return node;
}

static void *create_nil(const redisReadTask *task)
{
    struct reply *node = node_place(task);

    *node = (struct reply){.type = REPLY_NIL};
    return node;
}

static void free_nothing(void *node) { (void)node; }

#if HIREDIS_MAJOR >= 1
static void *refuse_double(const redisReadTask *task, double value, char *at, size_t bytes)
{
    (void)task, (void)value, (void)at, (void)bytes;
    return NULL;
}

static void *refuse_bool(const redisReadTask *task, int value)
{
    (void)task, (void)value;
    return NULL;
}
#endif

static const redisReplyObjectFunctions tree_functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_nothing,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_bool,
#endif
};

/* ---- the reader ---- */

static struct redisReader *hiredis_create(struct resp_reader *r)
{
    /* hiredis takes a pointer to non-const and only reads. */
    struct redisReader *h = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)(uintptr_t)&tree_functions);

    if (h)
        h->privdata = r;
    return h;
}

int resp_create(struct resp_reader **out, const struct resp_limits *limits)
{
    struct resp_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->limits = *limits;
    r->nodes = malloc(limits->nodes_max * sizeof(*r->nodes));
    r->text = malloc(limits->text_bytes_max);
    r->hiredis = hiredis_create(r);
    if (!r->nodes || !r->text || !r->hiredis) {
        resp_destroy(r);
        return -ENOMEM;
    }
    *out = r;
    return 0;
}

void resp_destroy(struct resp_reader *r)
{
    if (!r)
        return;
    if (r->hiredis)
        redisReaderFree(r->hiredis);
    free(r->text);
    free(r->nodes);
    free(r);
}

void resp_reset(struct resp_reader *r)
{
    struct redisReader *fresh = hiredis_create(r);

    r->nodes_used = 0;
    r->text_used = 0;
    r->delivered = false;
    r->broken = !fresh; /* without memory the link fails at its first byte and backs off */
    if (!fresh)
        return;
    redisReaderFree(r->hiredis);
    r->hiredis = fresh;
}

int resp_feed(struct resp_reader *r, const void *data, size_t bytes)
{
    if (!r->broken && redisReaderFeed(r->hiredis, data, bytes) != REDIS_OK)
        r->broken = true;
    return r->broken ? -EPROTO : 0;
}

/* hiredis waits for ever for a string of any announced length: bound what waits. A string of just the limit comes with
 * its "$<length>", and may wait for the last byte behind it. */
static bool holds_too_much(const struct resp_reader *r)
{
    enum { FRAME_BYTES = 32 };

    return r->hiredis->len - r->hiredis->pos > (size_t)r->limits.text_bytes_max + FRAME_BYTES;
}

int resp_next(struct resp_reader *r, const struct reply **reply)
{
    void *node = NULL;

    if (r->broken)
        return -EPROTO;
    int failed = redisReaderGetReply(r->hiredis, &node) != REDIS_OK;
    if (failed || (!node && holds_too_much(r))) {
        r->broken = true;
        return -EPROTO;
    }
    if (!node)
        return 0;
    r->delivered = true;
    *reply = node;
    return 1;
}
