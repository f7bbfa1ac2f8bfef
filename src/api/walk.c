#include "api/walk.h"

#include <stdlib.h>

#include "flush/mailbox.h"
#include "forms/cursor.h"

#define WALK_DEADLINE_MS 5000 /* the flusher answers by then, mostly much earlier … */
#define WALK_WAIT_MS 5500     /* … and the request at the latest then */

static void answer_unreachable(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    answer_error(aw, r, reply, 503, "store_unreachable", "the store does not answer; try again", "Retry-After: 1\r\n");
}

static void answer_busy(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    answer_error(aw, r, reply, 503, "busy", "so many lists at once are not made; try again", "Retry-After: 1\r\n");
}

bool walk_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct keys_query *q,
                ask_resume_fn *resume)
{
    const struct api_config *config = &aw->api->config;
    if (!config->embedded && !mailbox_is_connected(config->mailbox)) {
        answer_unreachable(aw, r, reply);
        return false;
    }
    struct question *question =
        ask_question(aw, reply, 1, WALK_DEADLINE_MS); /* one result: who deletes names them one by one */
    if (question) {
        question->kind = ASK_SCAN;
        question->scan = scan_create((struct slice){q->begins, q->begins_bytes}, q->limit);
        if (question->scan) {
            question->scan->place = q->place;
            question->scan->pause_percent = q->pause_percent;
        }
    }
    if (question && question->scan && ask_begin(aw, reply, question, WALK_WAIT_MS, resume))
        return true;
    if (question && !question->scan)
        free(question);
    answer_busy(aw, r, reply);
    return false;
}

struct scan *walk_page(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct question *question = ask_answer(reply);
    enum scan_state state = question ? question->scan->state : SCAN_UNREACHABLE;
    if (state == SCAN_DONE)
        return question->scan;
    if (state == SCAN_REFUSED)
        answer_error(aw, r, reply, 503, "store_refuses", "the store does not let its user list keys: allow it SCAN",
                     "Retry-After: 60\r\n");
    else if (state == SCAN_BUSY)
        answer_busy(aw, r, reply);
    else
        answer_unreachable(aw, r, reply);
    return NULL;
}

bool walk_again(struct api_worker *aw, struct reply *reply)
{
    scan_clear(ask_answer(reply)->scan);
    return ask_again(aw, reply, ASK_SCAN, (struct slice){"", 0}, WALK_DEADLINE_MS, WALK_WAIT_MS);
}

void walk_append_cursor(struct buf *b, const struct scan *scan)
{
    if (scan->ended) {
        buf_append_slice(b, SLICE("null"));
        return;
    }
    buf_append(b, "\"", 1);
    cursor_append(b, &scan->place);
    buf_append(b, "\"", 1);
}
