#include "ledger/journal.h"

#include <assert.h>
#include <stdio.h>

#include "base/crc32c.h"
#include "sync/atomic.h"
#include "tally/seal.h"
#include "tally/state_format.h"

struct journal_head {
    uint64_t intent; /* sealed: the generation of the last record that is whole; 0: none */
    uint64_t acked;  /* sealed: the number of the last acknowledgement that is whole; 0: none */
    struct journal_ack acks[2];
    uint64_t unused[6]; /* to the end of the line */
};
_Static_assert(sizeof(struct journal_head) % 64 == 0, "the slots begin on a cache line");

static uint32_t slot_bytes(uint32_t area_bytes)
{
    return (area_bytes - (uint32_t)sizeof(struct journal_head)) / 2 & ~7u;
}

static uint32_t parts_that_fit(uint32_t area_bytes)
{
    return (slot_bytes(area_bytes) - (uint32_t)sizeof(struct journal_record)) / (uint32_t)sizeof(struct journal_part);
}

uint32_t journal_bytes(uint32_t parts_max)
{
    size_t record = sizeof(struct journal_record) + parts_max * sizeof(struct journal_part);
    size_t bytes = sizeof(struct journal_head) + 2 * record;

    return (uint32_t)((bytes + STATE_PAGE - 1) / STATE_PAGE * STATE_PAGE);
}

static struct journal_record *record_at(const void *area, uint32_t area_bytes, uint64_t generation)
{
    uintptr_t at = (uintptr_t)area + sizeof(struct journal_head) + (generation & 1) * slot_bytes(area_bytes);

    return (struct journal_record *)at;
}

static uint32_t record_sum(const struct journal_record *r)
{
    uint32_t sum = crc32c(0, r, offsetof(struct journal_record, sum));

    return crc32c(sum, r->parts, r->parts_count * sizeof(r->parts[0]));
}

static uint32_t ack_sum(const struct journal_ack *a) { return crc32c(0, a, offsetof(struct journal_ack, sum)); }

/* ---- writing ---- */

void journal_open(struct journal *j, void *area, uint32_t bytes, const struct env *env)
{
    *j = (struct journal){.head = area, .env = env, .bytes = bytes};
    if (!area)
        return;
    j->parts_max = parts_that_fit(bytes);
    if (j->head->intent == 0)
        j->head->intent = seal(0);
    if (j->head->acked == 0)
        j->head->acked = seal(0);
    j->generation = seal_number(j->head->intent);
    j->ack = seal_number(j->head->acked);
}

void journal_intend(struct journal *j, const struct journal_batch *b)
{
    if (!j->head)
        return;
    struct journal_record *r = record_at(j->head, j->bytes, j->generation + 1);
    assert(b->parts_count <= j->parts_max);
    *r = (struct journal_record){.generation = ++j->generation,
                                 .ledger = b->ledger,
                                 .acked = b->acked,
                                 .goal = b->goal,
                                 .hits = b->hits,
                                 .kind = b->kind,
                                 .parts_count = b->parts_count};
    snprintf(r->instance, sizeof(r->instance), "%s", b->instance);
    env_step(j->env, ENV_STEP_RECORD_BEGUN);
    if (b->parts_count)
        memcpy(r->parts, b->parts, b->parts_count * sizeof(b->parts[0]));
    r->sum = record_sum(r);
    env_step(j->env, ENV_STEP_RECORD_WRITTEN);
    store_release_u64(&j->head->intent, seal(j->generation)); /* partner: journal_read() of the next process */
    env_step(j->env, ENV_STEP_INTENT);
}

void journal_acknowledge(struct journal *j, const char *instance, const struct ledger *acked,
                         const struct journal_stored *stored)
{
    if (!j->head)
        return;
    struct journal_ack *a = &j->head->acks[++j->ack & 1];
    *a = (struct journal_ack){.number = j->ack, .resolved = j->generation, .acked = *acked, .stored = *stored};
    snprintf(a->instance, sizeof(a->instance), "%s", instance);
    a->sum = ack_sum(a);
    env_step(j->env, ENV_STEP_ACK_WRITTEN);
    store_release_u64(&j->head->acked, seal(j->ack)); /* partner: journal_read() of the next process */
    env_step(j->env, ENV_STEP_ACKED);
}

/* ---- reading ---- */

struct reader {
    const struct journal_head *head;
    uint32_t bytes;
    const struct journal_ack *ack;       /* NULL: none is whole */
    const struct journal_record *record; /* the last one; NULL: none is whole */
    uint64_t generation;                 /* of the last one */
    bool ack_damaged, record_damaged;
};

static bool ack_is_whole(const struct journal_ack *a)
{
    return a->number && a->sum == ack_sum(a) && memchr(a->instance, '\0', sizeof(a->instance)) &&
           a->stored.count <= JOURNAL_STORED_MAX && a->stored.tips_count <= JOURNAL_TIPS_MAX &&
           a->stored.owed_count <= JOURNAL_OWED_MAX;
}

static const struct journal_record *record_of(const struct reader *r, uint64_t generation)
{
    const struct journal_record *record = record_at(r->head, r->bytes, generation);

    if (record->generation != generation || record->parts_count > parts_that_fit(r->bytes) ||
        record->sum != record_sum(record) || !memchr(record->instance, '\0', sizeof(record->instance)))
        return NULL;
    return record;
}

static void read_ack(struct reader *r)
{
    const struct journal_ack *a = &r->head->acks[0], *b = &r->head->acks[1];
    bool a_whole = ack_is_whole(a), b_whole = ack_is_whole(b);
    uint64_t number = seal_number(r->head->acked);

    if (a_whole && b_whole)
        r->ack = a->number > b->number ? a : b;
    else
        r->ack = a_whole ? a : b_whole ? b : NULL;
    if (!seal_is_whole(r->head->acked)) {
        /* With both whole the later one is true, published or not: what it says had happened. */
        r->ack_damaged = !(a_whole && b_whole);
    } else if (number) {
        const struct journal_ack *published = &r->head->acks[number & 1];
        r->ack_damaged = !ack_is_whole(published) || published->number != number;
        r->ack = r->ack_damaged ? r->ack : published;
    }
}

/* Never written, or whole with some generation: not damaged, and not half written. */
static uint64_t slot_generation(const struct reader *r, uint64_t slot, bool *whole)
{
    const struct journal_record *record = record_at(r->head, r->bytes, slot);

    *whole = (record->generation == 0 && record->sum == 0) ||
             ((record->generation & 1) == slot && record_of(r, record->generation));
    return record->generation;
}

static void read_record(struct reader *r)
{
    if (seal_is_whole(r->head->intent)) {
        r->generation = seal_number(r->head->intent);
        r->record = r->generation ? record_of(r, r->generation) : NULL;
        r->record_damaged = r->generation && !r->record;
        return;
    }
    bool even, odd;
    uint64_t a = slot_generation(r, 0, &even), b = slot_generation(r, 1, &odd);
    r->generation = a > b ? a : b;
    r->record_damaged = !even || !odd;
    r->record = r->record_damaged || !r->generation ? NULL : record_of(r, r->generation);
}

static void add_tip(struct journal_stored *s, const struct journal_tip *tip)
{
    uint32_t kept = s->tips_count < JOURNAL_TIPS_MAX ? s->tips_count : JOURNAL_TIPS_MAX - 1;

    memmove(&s->tips[1], &s->tips[0], kept * sizeof(s->tips[0]));
    s->tips[0] = *tip;
    s->tips_count = kept + 1;
}

/* Back to the batch before. */
static void step_back(struct journal_stored *s, const struct journal_record *step)
{
    s->count--;
    for (uint32_t i = 0; i < s->tips_count; i++) {
        if (s->tips[i].fork_seq != step->acked.seq)
            continue;
        s->tips[i].fork_seq = step->ledger.seq;
        s->tips[i].hits += step->hits;
    }
    add_tip(s, &(struct journal_tip){step->acked, step->ledger.seq, step->hits});
}

/* To one behind it, which the end of a branch is, or leads to it. */
static void step_forward(struct journal_stored *s, const struct journal_record *step)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->tips_count; i++) {
        struct journal_tip tip = s->tips[i];
        if (ledger_equals(&tip.ledger, &step->ledger))
            continue;
        if (ledger_equals(&tip.ledger, &step->goal)) {
            tip.fork_seq = step->ledger.seq;
            tip.hits -= step->hits < tip.hits ? step->hits : tip.hits;
        }
        s->tips[kept++] = tip;
    }
    s->tips_count = kept;
    if (s->count == JOURNAL_STORED_MAX)
        memmove(&s->entries[0], &s->entries[1], --s->count * sizeof(s->entries[0]));
    s->entries[s->count++] = (struct ledger_entry){step->ledger, step->hits};
}

static void view_step(const struct reader *r, struct journal_view *out)
{
    const struct journal_record *step = r->record;
    struct journal_stored *s = &out->moved;

    out->step = step;
    if (!out->stored)
        return;
    *s = *out->stored;
    out->stored = s;
    if (s->count && !ledger_equals(&s->entries[s->count - 1].ledger, &step->acked))
        s->count = 0; /* not of that batch's time */
    else if (s->count && s->count > 1 && ledger_equals(&s->entries[s->count - 2].ledger, &step->ledger))
        step_back(s, step);
    else if (s->count == 1 && step->ledger.seq + 1 == step->acked.seq)
        step_back(s, step);
    else
        step_forward(s, step);
}

static enum journal_verdict view_open(const struct reader *r, struct journal_view *out)
{
    if (!r->record)
        return JOURNAL_LOST;
    if (r->record->kind == JOURNAL_REPLACING) {
        out->replaced = record_of(r, r->generation - 1);
        if (!out->replaced)
            return JOURNAL_LOST;
    }
    memcpy(out->instance, r->record->instance, sizeof(out->instance));
    if (r->record->kind == JOURNAL_STEP) {
        out->acked = r->record->ledger;
        view_step(r, out);
        return JOURNAL_WHOLE;
    }
    out->batch = r->record;
    out->acked = r->record->acked;
    return JOURNAL_WHOLE;
}

enum journal_verdict journal_read(struct slice area, struct journal_view *out)
{
    struct reader r = {.head = (const void *)area.at, .bytes = (uint32_t)area.bytes};

    *out = (struct journal_view){0};
    if (area.bytes < journal_bytes(0) || r.head->intent == 0)
        return JOURNAL_LOST;
    read_ack(&r);
    read_record(&r);
    out->damaged = r.ack_damaged || r.record_damaged || !seal_is_whole(r.head->intent) || !seal_is_whole(r.head->acked);
    /* A record that is resolved is of no interest; without a word on it, it is taken as open, which is safe: its
     * ledger and its bytes are the same as ever. */
    bool resolved = r.ack && !r.ack_damaged && r.ack->resolved >= r.generation;
    if (r.ack && !r.ack_damaged)
        out->stored = &r.ack->stored;
    if (r.record_damaged && !seal_is_whole(r.head->intent))
        return JOURNAL_LOST;
    if (r.generation && !resolved)
        return view_open(&r, out);
    if (r.ack) {
        out->acked = r.ack->acked;
        memcpy(out->instance, r.ack->instance, sizeof(out->instance));
    }
    return JOURNAL_WHOLE;
}
