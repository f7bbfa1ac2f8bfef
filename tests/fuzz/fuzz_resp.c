/* Replies of a Redis against any bytes: two bytes choose limits and cuts, the rest is what the server sends. Read whole
 * and read cut must give the same replies, none larger than the limits, and what is broken stays broken. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "redis/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct size {
    uint32_t nodes, text_bytes;
};

/* Writes a reply to the log and adds up what it holds. */
static void reply_log(struct buf *log, const struct reply *r, struct size *size)
{
    size->nodes++;
    switch (r->type) {
    case REPLY_NIL: buf_printf(log, "nil "); break;
    case REPLY_INTEGER: buf_printf(log, "%lld ", (long long)r->integer); break;
    case REPLY_ARRAY:
        buf_printf(log, "[%u ", r->items_count);
        for (uint32_t i = 0; i < r->items_count; i++)
            reply_log(log, &r->items[i], size);
        buf_printf(log, "]");
        break;
    default:
        size->text_bytes += (uint32_t)r->text.bytes;
        buf_printf(log, "%d:%zu:", r->type, r->text.bytes);
        buf_append_slice(log, r->text);
    }
}

/* False: broken. */
static bool replies_take(struct resp_reader *reader, const struct resp_limits *limits, struct buf *log)
{
    const struct reply *reply;
    int result;

    while ((result = resp_next(reader, &reply)) == 1) {
        struct size size = {0};
        reply_log(log, reply, &size);
        buf_printf(log, "\n");
        assert(size.nodes <= limits->nodes_max && size.text_bytes <= limits->text_bytes_max);
    }
    if (result == 0)
        return true;
    assert(result == -EPROTO && resp_next(reader, &reply) == -EPROTO && resp_feed(reader, "+OK\r\n", 5) == -EPROTO);
    buf_printf(log, "broken\n");
    return false;
}

/* The replies in `data`, which comes in pieces of 1 to `piece_max`. */
static void read_in_pieces(const struct resp_limits *limits, const uint8_t *data, size_t bytes, size_t piece_max,
                           struct buf *log)
{
    struct resp_reader *reader;
    size_t at = 0, piece = 1;
    bool whole = true;

    if (resp_create(&reader, limits) < 0)
        abort();
    while (at < bytes && whole) {
        piece = 1 + (piece * 7 + at) % piece_max;
        piece = piece < bytes - at ? piece : bytes - at;
        whole = resp_feed(reader, data + at, piece) == 0 && replies_take(reader, limits, log);
        at += piece;
    }
    resp_destroy(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct resp_limits tight = {.nodes_max = 8, .text_bytes_max = 32};
    static const struct resp_limits roomy = {.nodes_max = 1024, .text_bytes_max = 16384};
    struct buf whole = {0}, cut = {0};

    if (bytes < 2)
        return 0;
    const struct resp_limits *limits = data[0] & 1 ? &tight : &roomy;
    /* One piece: larger than all that follows. */
    struct resp_reader *reader;
    if (resp_create(&reader, limits) < 0)
        abort();
    if (bytes > 2 && resp_feed(reader, data + 2, bytes - 2) == 0)
        replies_take(reader, limits, &whole);
    resp_destroy(reader);
    read_in_pieces(limits, data + 2, bytes - 2, 1 + data[1] % 64, &cut);
    if (!slice_equals(buf_slice(&whole), buf_slice(&cut))) {
        fprintf(stderr, "whole:\n%.*s\ncut:\n%.*s\n", (int)whole.bytes, whole.data, (int)cut.bytes, cut.data);
        abort();
    }
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
