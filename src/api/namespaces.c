/* GET /v1/namespaces: which namespaces there are, and the highest pages of each, for who may read them. What a process
 * says is what it counts itself (api/ranking.h). */

#include <stdlib.h>

#include "api/board.h"
#include "api/routes.h"
#include "net/worker.h"
#include "request/ask.h"
#include "request/right.h"

#define LOOK_MS 20 /* between two looks whether it is made */
#define LOOKS_MAX 100

struct shown {
    uint64_t order; /* the largest value first */
    uint32_t slot;
};

static int by_order(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    return (x->order < y->order) - (x->order > y->order);
}

/* Those that the token may read, the largest first. */
static uint32_t select_shown(const struct board *board, const struct token *token, struct ranking_namespace *one,
                             struct shown *shown)
{
    uint32_t count = 0;
    for (uint32_t i = 0, slots = board_count(board); i < slots; i++)
        if (board_read(board, i, one) && right_reads(token, (struct slice){one->ns, one->ns_bytes}))
            shown[count++] = (struct shown){(uint64_t)one->value ^ UINT64_C(1) << 63, i};
    qsort(shown, count, sizeof(*shown), by_order);
    return count;
}

static void append_all(struct buf *b, const struct board *board, const struct token *token,
                       struct ranking_namespace *one)
{
    struct shown shown[RANKING_NAMESPACES_MAX + 1];
    uint32_t count = select_shown(board, token, one, shown), printed = 0;
    buf_append_slice(b, SLICE("{\"namespaces\":["));
    for (uint32_t i = 0; i < count; i++) {
        if (!board_read(board, shown[i].slot, one) || !right_reads(token, (struct slice){one->ns, one->ns_bytes}))
            continue; /* another one has the slot since */
        buf_append(b, ",", printed++ > 0);
        ranking_namespace_print(one, b);
    }
    buf_append_slice(b, SLICE("]}\n"));
}

static enum handler_result answer_board(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        const struct token *token)
{
    struct ranking_namespace *one = malloc(sizeof(*one));
    struct buf body = {.failed = !one};
    if (one)
        append_all(&body, aw->api->board, token, one);
    if (body.failed)
        answer_error(aw, r, reply, 503, "memory", "there is no memory for this answer", "Retry-After: 10\r\n");
    else
        answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
    free(one);
    return HANDLED;
}

/* An old one is better than none. */
static enum handler_result namespaces_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct board *board = aw->api->board;
    const struct token *token;
    uint32_t looks = ask_note_read(reply);
    if (!board_is_fresh(board, reply->now_ms) && looks < LOOKS_MAX) {
        ask_note(reply, looks + 1);
        reply->wait_ms = LOOK_MS;
        return WAITING;
    }
    if (!right_find(aw, r, reply, &token)) /* the file may have changed */
        return HANDLED;
    if (board_is_there(board))
        return answer_board(aw, r, reply, token);
    answer_error(aw, r, reply, 503, "busy", "the namespaces are not summed up yet; try again", "Retry-After: 1\r\n");
    return HANDLED;
}

enum handler_result route_namespaces(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct token *token;
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_method(aw, r, reply, "GET, HEAD, OPTIONS");
        return HANDLED;
    }
    if (!right_find(aw, r, reply, &token))
        return HANDLED;
    if (board_is_fresh(aw->api->board, reply->now_ms))
        return answer_board(aw, r, reply, token);
    if (board_want(aw->api->board))
        worker_wake(aw->api->per_worker[aw->api->workers].worker);
    if (ask_nobody(aw, reply, LOOK_MS, namespaces_resume))
        return WAITING;
    answer_error(aw, r, reply, 503, "memory", "there is no memory for this answer", "Retry-After: 10\r\n");
    return HANDLED;
}
