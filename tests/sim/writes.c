/* Counters that are seeded and reset (owed/writes.h), and what must hold of it.
 *
 * A write is executed after all hits that its process had answered when it was asked for: they are in the key, or were
 * refused and are replaced. It is executed once, those of a key in the order in which they were asked for. Who was told
 * that it is done finds it done; who was told that it is not never does. */
#include <stdlib.h>

#include "sim/sim.h"

#define SEED_STEP 1000000000 /* so that a value says which write it is of */

static struct sim_write *write_of_op(struct sim *s, const struct question *question)
{
    return &s->writes[question->results[0].stored / SEED_STEP - 1];
}

/* Is the fate of a DEL open? */
static bool is_open(const struct sim *s, uint32_t key)
{
    for (const struct sim_write *w = s->writes; w < s->writes + s->writes_count; w++) {
        if (!w->set && w->key == key && !w->done && !w->refused)
            return true;
    }
    return false;
}

void process_write(struct process *p)
{
    struct sim *s = p->sim;
    uint32_t key = (uint32_t)chance_below(&s->chance, s->rates.keys);

    bool set = chance_one_in(&s->chance, 2) || is_open(s, key);

    if (s->writes_count == SIM_WRITES_MAX)
        return;
    struct sim_write *w = &s->writes[s->writes_count++];
    struct question *question = calloc(1, sizeof(*question) + sizeof(question->results[0]));
    struct answer *r = &question->results[0];
    *w = (struct sim_write){.life = p->life, .key = key, .set = set, .owed = process_life(p)->accepted[key]};
    question->kind = w->set ? ASK_SET : ASK_DELETE;
    question->count = 1;
    question->deadline_ms = s->now_us / 1000 + chance_octaves(&s->chance, 64, 8192);
    r->stored = (int64_t)s->writes_count * SEED_STEP;
    r->name_bytes = (uint16_t)snprintf(r->name, sizeof(r->name), "n/%02u", key);
    sim_note(s, "write %u of key %u is asked for: %s", s->writes_count, key, w->set ? "SET" : "DEL");
    core_ask(p->core, question);
}

void process_wrote(struct process *p, struct question *question)
{
    struct sim *s = p->sim;
    struct sim_write *w = write_of_op(s, question);
    enum answer_state state = (enum answer_state)question->results[0].state;

    free(question);
    if (p->frozen || !p->alive) /* nobody hears it */
        return;
    sim_note(s, "write %u: %s", (unsigned)(w - s->writes) + 1,
             state == ANSWER_FOUND    ? "done"
             : state == ANSWER_FAILED ? "not done"
                                      : "in doubt");
    s->met.writes += state == ANSWER_FOUND;
    w->refused = state == ANSWER_FAILED;
    w->done = state == ANSWER_FOUND;
    if (state == ANSWER_FOUND && !w->executed)
        sim_fail(s, "write %u of key %u is said to be done, and is not", (unsigned)(w - s->writes) + 1, w->key);
    if (state == ANSWER_FAILED && w->executed)
        sim_fail(s, "write %u of key %u is said not to be done, and is", (unsigned)(w - s->writes) + 1, w->key);
}

/* Which one was executed; NULL: none of ours. A DEL does not say, so there is one at a time. */
static struct sim_write *write_executed(struct sim *s, uint32_t life, uint32_t key, const int64_t *value)
{
    struct sim_write *last = NULL;

    if (value)
        return *value >= SEED_STEP && *value / SEED_STEP <= s->writes_count ? &s->writes[*value / SEED_STEP - 1] : NULL;
    for (struct sim_write *w = s->writes; w < s->writes + s->writes_count; w++) {
        if (w->life != life || w->key != key || w->set)
            continue;
        last = w;
        if (!w->done && !w->refused)
            break;
    }
    return last;
}

/* What was refused of the key in the same transaction is replaced with all the rest. */
static uint64_t take_refusals(struct sim *s, uint32_t key)
{
    struct stream *stream = s->net.serving;
    uint64_t hits = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; stream && i < stream->refusals_count; i++) {
        const struct net_refusal *r = &stream->refusals[i];
        if (r->key == key && r->answer_end == NET_NEVER)
            hits += r->delta;
        else
            stream->refusals[kept++] = *r;
    }
    if (stream)
        stream->refusals_count = kept;
    return hits;
}

/* Of any key. */
static uint64_t lost_by(const struct sim *s, uint32_t life)
{
    uint64_t lost = s->lives[life].said;

    for (const struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++)
        lost += p->alive && p->life == life ? process_said(p) : 0;
    return lost;
}

static void check_write(struct sim *s, const struct sim_write *w, const struct life *l, uint64_t has)
{
    unsigned number = (unsigned)(w - s->writes) + 1;
    uint64_t excused = l->excused[w->key] + l->destroyed[w->key] + l->forgotten[w->key];

    excused += (l->reborn ? l->told[w->key] : 0) + lost_by(s, w->life);
    if (has + excused < w->owed)
        sim_fail(s, "write %u of key %u comes before hits that were answered before: %" PRIu64 " of %" PRIu64, number,
                 w->key, has, w->owed);
    if (w->refused)
        sim_fail(s, "write %u of key %u was said not to be done, and is done", number, w->key);
    if (w->executed > 1 && !world_forgot(s, w->key))
        sim_fail(s, "write %u of key %u is done twice", number, w->key);
    for (const struct sim_write *later = w + 1; w->set && later < s->writes + s->writes_count; later++) {
        if (later->life == w->life && later->key == w->key && later->executed && !world_forgot(s, w->key))
            sim_fail(s, "write %u of key %u is done after a later one", number, w->key);
    }
}

int64_t oracle_written(void *ctx, uint32_t tag, struct slice redis_key, const int64_t *value)
{
    const struct oracle_view *view = ctx;
    struct sim *s = view->sim;
    uint32_t key = world_key_of(redis_key);

    if (tag >= s->lives_count || key == SIM_KEYS_MAX)
        return 0;
    struct life *l = &s->lives[tag];
    struct sim_write *w = write_executed(s, tag, key, value);
    uint64_t replaced = take_refusals(s, key);
    s->met.replaced += replaced > 0;
    copies_applied(s, view->copy, l, key, (int64_t)replaced);
    if (!w) {
        sim_fail(s, "process %u writes to key %u, and nobody asked for it", tag, key);
        return (int64_t)replaced;
    }
    sim_note(s, "write %u of key %u is executed", (unsigned)(w - s->writes) + 1, key);
    w->executed++;
    check_write(s, w, l, l->copies[view->copy][key]);
    return (int64_t)replaced;
}

uint32_t writes_of(const struct sim *s, uint32_t life, uint32_t key)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->writes_count; i++)
        count += s->writes[i].life == life && s->writes[i].key == key;
    return count;
}
