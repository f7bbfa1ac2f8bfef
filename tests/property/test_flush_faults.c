/* Conservation under random faults: whatever happens to connections and to the server's mood, every hit is added to
 * its key exactly once. One seed is one schedule; FLUSH_SEED=n replays one, FLUSH_SEEDS=n tries that many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/world.h"

#define SEEDS_DEFAULT 600
#define KEYS 12
#define STEPS 400

struct schedule {
    struct world world;
    uint64_t seed, chance;
    uint64_t counted[KEYS];
};

static uint64_t draw(struct schedule *s, uint64_t below)
{
    s->chance += 0x9e3779b97f4a7c15; /* splitmix64 */
    uint64_t z = s->chance;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

static void key_name(char out[32], uint64_t key, char separator) { snprintf(out, 32, "n%c%02" PRIu64, separator, key); }

static void hit_some(struct schedule *s)
{
    for (uint64_t n = draw(s, 4); n > 0; n--) {
        char name[32];
        uint64_t key = draw(s, KEYS), hits = 1 + draw(s, 9);
        key_name(name, key, '/');
        world_hit(&s->world, (uint32_t)draw(s, 2), name, hits);
        s->counted[key] += hits;
    }
}

static struct stream *last_conn(struct schedule *s)
{
    struct fake_redis *r = &s->world.redis;

    return r->conns_count ? r->conns[r->conns_count - 1] : NULL;
}

static void cut_soon(struct schedule *s)
{
    struct stream *c = last_conn(s);

    if (!c || c->cut)
        return;
    c->ending = (enum fake_ending)draw(s, 3);
    if (draw(s, 2))
        c->in_cut = c->in_total + draw(s, 400);
    else
        c->out_cut = c->out_total + draw(s, 200);
}

static void refuse_for_a_while(struct schedule *s)
{
    static const char *const commands[] = {"INCRBY", "SET", "EXEC", "WATCH", "GET", "MULTI", "GETRANGE", "AUTH"};
    static const char *const errors[] = {"-OOM command not allowed",
                                         "-LOADING Redis is loading",
                                         "-READONLY You can't write",
                                         "-BUSY script",
                                         "-NOAUTH Authentication required.",
                                         "-NOPERM no permissions to run the command",
                                         "-NOPERM No permissions to access a key",
                                         "-ERR who knows"};
    s->world.redis.rules_count = 0;
    if (draw(s, 3) == 0) { /* a single key, which must not hold up the others */
        fake_rule(&s->world.redis, (struct fake_rule){"INCRBY", "n:03", errors[6], false});
        return;
    }
    fake_rule(&s->world.redis, (struct fake_rule){commands[draw(s, 8)], NULL, errors[draw(s, 8)], false});
}

static void one_fault(struct schedule *s)
{
    struct fake_redis *r = &s->world.redis;

    switch (draw(s, 8)) {
    case 0:
    case 1: cut_soon(s); break;
    case 2: fake_deliver_late(r); break;
    case 3: refuse_for_a_while(s); break;
    case 4: r->rules_count = 0; break;
    case 5: r->open_error = draw(s, 2) ? -ECONNREFUSED : 0; break;
    case 6: r->cut_after_command = draw(s, 2) ? "EXEC" : NULL; break;
    case 7:
        if (draw(s, 4) == 0)
            fake_restart(r);
        break;
    }
}

static void read_something(struct schedule *s)
{
    char name[32];

    key_name(name, draw(s, KEYS), '/');
    world_ask(&s->world, name, 500);
}

/* Frees what came back; what was found may not exceed what was counted. */
static void take_answers(struct schedule *s)
{
    for (int i = 0; i < s->world.answered_count; i++) {
        const struct read_result *r = &s->world.answered[i]->results[0];
        uint64_t key = strtoull(r->name + 2, NULL, 10);
        if (r->state == READ_FOUND && (uint64_t)r->stored > s->counted[key])
            fail_msg("seed %" PRIu64 ": read %" PRId64 " of %" PRIu64, s->seed, r->stored, s->counted[key]);
        free(s->world.answered[i]);
    }
    s->world.answered_count = 0;
}

/* acked ≤ value ≤ acked + in doubt, for the sum and for each key; and what readers are told. */
static void check_now(struct schedule *s)
{
    struct flusher_books b = world_books(&s->world);
    uint64_t sum = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        char name[32], full[40];
        key_name(name, key, ':');
        snprintf(full, sizeof(full), "t:%s", name);
        uint64_t value = (uint64_t)fake_value(&s->world.redis, full);
        key_name(name, key, '/');
        struct tally_value told = world_read(&s->world, name);
        if (value > s->counted[key] || (told.known && (uint64_t)told.value != s->counted[key]))
            fail_msg("seed %" PRIu64 ": key %" PRIu64 " holds %" PRIu64 " and reads %" PRId64 " of %" PRIu64, s->seed,
                     key, value, told.value, s->counted[key]);
        sum += value;
    }
    if (sum < b.stored || sum > b.stored + b.in_flight || b.lost || s->world.redis.executed_outside_multi)
        fail_msg("seed %" PRIu64 ": store %" PRIu64 " books %" PRIu64 "+%" PRIu64 " lost %" PRIu64, s->seed, sum,
                 b.stored, b.in_flight, b.lost);
}

static void heal(struct schedule *s)
{
    struct fake_redis *r = &s->world.redis;

    r->rules_count = 0;
    r->open_error = 0;
    r->cut_after_command = NULL;
    fake_deliver_late(r);
}

static void run_schedule(uint64_t seed)
{
    struct schedule *s = calloc(1, sizeof(*s));
    uint64_t fault_every = 0;

    s->seed = seed;
    s->chance = seed;
    world_init_with(&s->world,
                    &(struct world_options){.seed = seed + 1, .batch_keys_max = (uint32_t)(1 + draw(s, KEYS))});
    fault_every = 2 + draw(s, 30);
    for (int i = 0; i < STEPS; i++) {
        if (draw(s, 3) == 0)
            hit_some(s);
        if (draw(s, fault_every) == 0)
            one_fault(s);
        if (draw(s, 10) == 0)
            read_something(s);
        world_step(&s->world);
        take_answers(s);
        check_now(s);
    }
    heal(s);
    world_run_ms(&s->world, 61000); /* and what was set aside is tried again */
    take_answers(s);
    fake_deliver_late(&s->world.redis);
    check_now(s);
    if (world_books(&s->world).stored != s->world.accepted)
        fail_msg("seed %" PRIu64 ": stored %" PRIu64 " of %" PRIu64, seed, world_books(&s->world).stored,
                 s->world.accepted);
    world_fini(&s->world);
    take_answers(s);
    free(s);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_flush_is_exact_under_random_faults(void **state)
{
    uint64_t only = number_of("FLUSH_SEED", 0), count = number_of("FLUSH_SEEDS", SEEDS_DEFAULT);
    (void)state;

    for (uint64_t seed = only ? only : 1; seed <= (only ? only : count); seed++)
        run_schedule(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flush_is_exact_under_random_faults)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
