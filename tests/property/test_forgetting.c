/* Hits, flushes, reads and forgetting in any order, against a model that cannot be wrong: what was counted of each
 * name. No hit is lost or doubled, what is shown is what was counted, and the places that are taken are the names there
 * are. */
#include "flush/forgetting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "owed/keys.h"
#include "sync/barrier.h"

#define WORKERS 3
#define NAMES 300
#define KEYS_MAX 60 /* fewer than there are names, so that room must be made */
#define IDLE_MS 400
#define STEPS 40000
#define RUNS 5

struct model {
    uint64_t random;
    uint64_t now_ms;
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct writes writes;
    struct flusher_stats stats;
    struct forgetting *forgetting;
    bool woken[WORKERS];
    int64_t stored[NAMES];   /* what the store holds */
    int64_t accepted[NAMES]; /* what it is to hold in the end */
    uint64_t refused, known_reads, covered;
};

static uint64_t draw(struct model *m, uint64_t below)
{
    m->random ^= m->random >> 12;
    m->random ^= m->random << 25;
    m->random ^= m->random >> 27;
    return (m->random * 0x2545f4914f6cdd1d >> 16) % below;
}

/* Of many lengths, so that room of many sizes comes and goes. */
static struct slice name_of(uint32_t number, char text[64])
{
    int padding = (int)(number % 40);

    return (struct slice){text, (size_t)snprintf(text, 64, "n/%0*u", padding, number)};
}

static uint32_t number_of(struct slice name)
{
    uint32_t number = 0;

    for (size_t i = 2; i < name.bytes; i++)
        number = number * 10 + (uint32_t)(name.at[i] - '0');
    return number;
}

static void on_wake(void *ctx, uint32_t worker) { ((struct model *)ctx)->woken[worker] = true; }
static void on_covers(void *ctx) { ((struct model *)ctx)->covered++; }

/* ---- steps ---- */

static void step_hit(struct model *m)
{
    char text[64];
    uint32_t number = (uint32_t)draw(m, 1 + draw(m, NAMES));
    int64_t n = 1 + (int64_t)draw(m, 9);
    enum tally_result result = tally_hit(m->tally, (uint32_t)draw(m, WORKERS), name_of(number, text), (uint64_t)n);

    if (result == TALLY_COUNTED)
        m->accepted[number] += n;
    else
        /* There may be more by a few, that two workers met in the middle of a round. */
        assert_true(result == TALLY_KEY_LIMIT && tally_keys(m->tally) >= KEYS_MAX && ++m->refused);
}

static void store_key(struct model *m, uint32_t key)
{
    int64_t *stored = &m->stored[number_of(keys_name(m->keys, key))];

    for (key_cell c = keys_first_cell(m->keys, key); c; c = keys_next_cell(m->keys, c)) {
        uint64_t count = keys_count(m->keys, c);
        *stored += (int64_t)(count - keys_baseline(m->keys, c));
        keys_set_baseline(m->keys, c, count);
    }
    keys_use(m->keys, key, m->now_ms);
    keys_publish(m->keys, key, *stored, m->now_ms);
}

/* Not all that is dirty is stored at once. */
static void step_flush(struct model *m)
{
    keys_set_clock(m->keys, m->now_ms);
    keys_collect(m->keys);
    for (uint64_t n = draw(m, 60); n > 0 && keys_dirty(m->keys); n--)
        store_key(m, keys_pop_dirty(m->keys, 0));
}

static void step_answer(struct model *m)
{
    uint32_t worker = (uint32_t)draw(m, WORKERS);

    if (!m->woken[worker])
        return;
    m->woken[worker] = false;
    tally_answer(m->tally, worker);
}

static void step_time(struct model *m)
{
    m->now_ms += draw(m, draw(m, 8) ? 5 : 200);
    keys_set_clock(m->keys, m->now_ms);
    forgetting_tick(m->forgetting, m->now_ms);
}

/* ---- laws ---- */

static void check_name(struct model *m, uint32_t number)
{
    char text[64];
    struct tally_value v;
    struct slice name = name_of(number, text);

    tally_read(m->tally, name, &v);
    m->known_reads += v.known;
    assert_true(v.pending <= (uint64_t)(m->accepted[number] - m->stored[number]));
    if (v.known)
        assert_int_equal(v.value, m->accepted[number]);
    if (!v.counted) /* forgotten, or never there: all of it is where it is asked for */
        assert_int_equal(m->stored[number], m->accepted[number]);
}

static uint32_t names_there(const struct model *m)
{
    uint32_t there = 0, worker, cell;
    char text[64];

    for (uint32_t i = 0; i < NAMES; i++)
        there += tally_find(m->tally, name_of(i, text), &worker, &cell);
    return there;
}

static void check_end(struct model *m)
{
    forgetting_finish(m->forgetting);
    keys_collect(m->keys);
    while (keys_dirty(m->keys))
        store_key(m, keys_pop_dirty(m->keys, 0));
    for (uint32_t i = 0; i < NAMES; i++) {
        assert_int_equal(m->stored[i], m->accepted[i]);
        check_name(m, i);
    }
    assert_int_equal(tally_keys(m->tally), names_there(m));
    assert_int_equal(keys_waiting(m->keys), 0);
}

static void check_all_can_go(struct model *m)
{
    for (uint32_t n = 0; n < 10000 && names_there(m); n++) {
        m->now_ms += IDLE_MS;
        forgetting_tick(m->forgetting, m->now_ms);
        for (uint32_t i = 0; i < WORKERS; i++)
            tally_answer(m->tally, i);
    }
    forgetting_finish(m->forgetting);
    assert_int_equal(names_there(m), 0);
    assert_int_equal(tally_keys(m->tally), 0);
}

static void model_init(struct model *m, uint64_t seed)
{
    m->random = seed | 1;
    m->now_ms = 1000;
    assert_int_equal(tally_create(&m->tally, &(struct tally_config){.workers = WORKERS, .keys_max = KEYS_MAX}), 0);
    tally_open_desks(m->tally, false);
    keyspace_init(&m->space, "t:", 0);
    assert_int_equal(keys_create(&m->keys, m->tally, &m->space), 0);
    static const struct flush_options options = {.key_idle_ms = IDLE_MS};
    const struct forgetting_config config = {
        .options = &options,
        .tally = m->tally,
        .keys = m->keys,
        .writes = &m->writes,
        .stats = &m->stats,
        .wake = on_wake,
        .covers = on_covers,
        .ctx = m,
    };
    assert_int_equal(forgetting_create(&m->forgetting, &config), 0);
}

static void run(uint64_t seed)
{
    struct model *m = calloc(1, sizeof(*m));

    model_init(m, seed);
    for (uint32_t i = 0; i < STEPS; i++) {
        uint64_t kind = draw(m, 20);
        if (kind < 10)
            step_hit(m);
        else if (kind < 12)
            step_flush(m);
        else if (kind < 16)
            step_time(m);
        else
            step_answer(m);
        check_name(m, (uint32_t)draw(m, NAMES));
    }
    check_end(m);
    check_all_can_go(m);
    print_message("seed %llu: %llu forgotten, %llu refused, %llu known reads\n", (unsigned long long)seed,
                  (unsigned long long)m->stats.keys_forgotten, (unsigned long long)m->refused,
                  (unsigned long long)m->known_reads);
    assert_true(m->stats.keys_forgotten > NAMES && m->covered && m->refused && m->known_reads);
    forgetting_destroy(m->forgetting);
    keys_destroy(m->keys);
    tally_destroy(m->tally);
    free(m);
}

/* SEED=… repeats one run. */
static void test_keys_that_come_and_go_are_counted_exactly(void **state)
{
    (void)state;
    const char *seed_text = getenv("SEED");
    uint64_t seed;

    assert_int_equal(barrier_init(), 0);
    if (seed_text) {
        run(strtoull(seed_text, NULL, 10));
        return;
    }
    for (int i = 0; i < RUNS; i++) {
        assert_int_equal(random_bytes(&seed, sizeof(seed)), 0);
        run(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_that_come_and_go_are_counted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
