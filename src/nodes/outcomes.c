#include "nodes/outcomes.h"

#include "nodes/key_value.h"
#include "redis/error.h"

static struct outcome refused(const struct reply *reply)
{
    return (struct outcome){.kind = OUTCOME_REFUSED, .why = redis_error_classify(reply->text), .text = reply->text};
}

static struct outcome strange(void) { return (struct outcome){.kind = OUTCOME_STRANGE}; }

static struct outcome of_status(const struct reply *reply, struct slice expected)
{
    if (reply_is_status(reply, expected))
        return (struct outcome){.kind = OUTCOME_DONE};
    return reply->type == REPLY_ERROR ? refused(reply) : strange();
}

static struct outcome of_look(const struct reply *reply)
{
    int64_t value;

    switch (key_value_read(reply, &value)) {
    case KEY_VALUE_INTEGER: return (struct outcome){.kind = OUTCOME_DONE, .counted = true, .number = value};
    case KEY_VALUE_NONE: return (struct outcome){.kind = OUTCOME_DONE};
    case KEY_VALUE_WRONG_TYPE:
        return (struct outcome){.kind = OUTCOME_REFUSED, .why = REDIS_ERROR_WRONGTYPE, .text = reply->text};
    case KEY_VALUE_NO_INTEGER:
        return (struct outcome){.kind = OUTCOME_REFUSED, .why = REDIS_ERROR_NOT_INTEGER, .text = reply->text};
    case KEY_VALUE_UNTOLD: break;
    }
    return reply->type == REPLY_ERROR ? refused(reply) : strange();
}

static struct outcome of_ledger(const struct reply *reply)
{
    switch (reply->type) {
    case REPLY_NIL: return (struct outcome){.kind = OUTCOME_NONE};
    case REPLY_STRING: return (struct outcome){.kind = OUTCOME_TEXT, .text = reply->text};
    case REPLY_ERROR: return refused(reply);
    case REPLY_STATUS:
    case REPLY_INTEGER:
    case REPLY_ARRAY: break;
    }
    return strange();
}

/* ---- EXEC ---- */

/* An integer or an error for each item, then the answer to the write, if there is one, then as for the items for each
 * total and each set of highest keys, and the answer to the SET of the ledger. */
static bool array_fits(const struct reply *exec, const struct batch *b)
{
    if (exec->items_count != batch_commands(b) + 1)
        return false;
    for (uint32_t i = 0; i < batch_commands(b); i++) {
        bool adds = i < b->items_count || i >= batch_sums_at(b);
        if (adds && exec->items[i].type != REPLY_INTEGER && exec->items[i].type != REPLY_ERROR)
            return false;
    }
    return true;
}

static void note_items(const struct reply *exec, struct batch *b)
{
    for (uint32_t i = 0; i < b->items_count; i++) {
        if (exec->items[i].type == REPLY_ERROR)
            batch_refuse(b, i, redis_error_classify(exec->items[i].text));
        else
            b->items[i].total = exec->items[i].integer;
        b->items[i].told = exec->items[i].type == REPLY_INTEGER;
    }
    for (uint32_t i = 0; i < b->sums_sent; i++) {
        const struct reply *reply = &exec->items[batch_sums_at(b) + i];
        b->sums[i].told = true;
        b->sums[i].total = reply->integer;
        if (reply->type == REPLY_ERROR)
            batch_refuse_sum(b, i, redis_error_classify(reply->text));
    }
    for (uint32_t i = 0; i < b->tops_count; i++) {
        const struct reply *reply = &exec->items[batch_tops_at(b) + i];
        b->tops[i].told = true;
        b->tops[i].answer = reply->integer;
        if (reply->type == REPLY_ERROR)
            batch_refuse_top(b, i, redis_error_classify(reply->text));
    }
    b->write.done = b->write.there && exec->items[b->items_count].type != REPLY_ERROR;
}

/* A probe sets the ledger only if there is one. */
static bool ledger_is_set(const struct reply *set, const struct batch *b)
{
    return reply_is_status(set, SLICE("OK")) || (b->is_probe && set->type == REPLY_NIL);
}

static struct outcome of_array(const struct reply *exec, struct batch *b)
{
    if (!array_fits(exec, b))
        return strange();
    note_items(exec, b);
    const struct reply *set = &exec->items[exec->items_count - 1];
    if (ledger_is_set(set, b))
        return (struct outcome){.kind = OUTCOME_DONE};
    return (struct outcome){.kind = OUTCOME_DONE, .why = redis_error_classify(set->text), .text = set->text};
}

static struct outcome of_exec(const struct reply *reply, struct batch *b)
{
    switch (reply->type) {
    case REPLY_ARRAY: return of_array(reply, b);
    case REPLY_NIL: return (struct outcome){.kind = OUTCOME_NONE};
    case REPLY_ERROR: return refused(reply);
    case REPLY_STATUS:
    case REPLY_INTEGER:
    case REPLY_STRING: break;
    }
    return strange();
}

struct outcome outcome_of(enum partition_step step, const struct reply *reply, struct batch *sent)
{
    switch (step) {
    case STEP_QUEUED: return of_status(reply, SLICE("QUEUED"));
    case STEP_EXEC: return of_exec(reply, sent);
    case STEP_LOOK: return of_look(reply);
    case STEP_WATCH:
    case STEP_MULTI: return of_status(reply, SLICE("OK"));
    case STEP_LEDGER: return of_ledger(reply);
    case STEPS: break;
    }
    return strange();
}

const char *outcome_step_name(enum partition_step step)
{
    static const char *const names[STEPS] = {
        [STEP_QUEUED] = "a command of a transaction", [STEP_EXEC] = "EXEC",
        [STEP_LOOK] = "GETRANGE of a counter",        [STEP_WATCH] = "WATCH",
        [STEP_LEDGER] = "GET of the ledger",          [STEP_MULTI] = "MULTI",
    };

    return names[step];
}
