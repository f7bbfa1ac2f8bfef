/* A shard against a model that cannot be wrong: a list of names with their counts, what of them was reported. */
#include "tally/seal.h"
#include "tally/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"

#define NAMES 3000 /* more than fit, so that refusals are tried too, and the index grows three times */
#define CELLS_MAX 2000
#define STEPS 60000
#define RUNS 10

struct model {
    uint64_t random;
    struct shard *shard;
    uint32_t cell[NAMES]; /* SHARD_CELL_NONE: not interned */
    uint64_t count[NAMES];
    bool touched[NAMES];
    uint32_t interned, touched_count;
    uint64_t sum;
};

/* xorshift64*: the same everywhere for the same seed. */
static uint64_t draw(struct model *m, uint64_t below)
{
    m->random ^= m->random >> 12;
    m->random ^= m->random << 25;
    m->random ^= m->random >> 27;
    return (m->random * 0x2545f4914f6cdd1d >> 16) % below;
}

static struct slice name_of(uint32_t number, char text[64])
{
    int padding = (int)(number % 40); /* of many lengths */

    return (struct slice){text, (size_t)snprintf(text, 64, "n/%0*u", padding, number)};
}

static void step_hit(struct model *m)
{
    char text[64];
    uint32_t number = (uint32_t)draw(m, NAMES);
    uint64_t n = draw(m, 20) ? 1 + draw(m, 100) : SEAL_MAX / 2;
    struct slice name = name_of(number, text);
    uint64_t hash = shard_hash(m->shard, name);
    uint32_t cell = shard_find(m->shard, name, hash);

    assert_true(cell == m->cell[number]);
    if (cell == SHARD_CELL_NONE) {
        cell = shard_intern(m->shard, name, hash, false);
        assert_true((cell == SHARD_CELL_NONE) == (m->interned == CELLS_MAX));
        if (cell == SHARD_CELL_NONE)
            return;
        m->cell[number] = cell;
        m->interned++;
    }
    bool fits = n <= SEAL_MAX - m->count[number];
    assert_true(shard_add(m->shard, cell, n) == fits);
    if (!fits)
        return;
    m->count[number] += n;
    m->sum += n;
    m->touched_count += !m->touched[number];
    m->touched[number] = true;
}

static void step_take(struct model *m)
{
    uint32_t cell;
    bool taken = shard_take_touched(m->shard, &cell);

    assert_true(taken == (m->touched_count > 0));
    for (uint32_t i = 0; taken && i < NAMES; i++)
        if (m->cell[i] == cell) {
            assert_true(m->touched[i]);
            m->touched[i] = false;
            m->touched_count--;
            return;
        }
    assert_false(taken); /* a cell that nobody made */
}

static void check_all(const struct model *m)
{
    char text[64];

    assert_int_equal(shard_cells(m->shard), m->interned);
    assert_true(shard_sum(m->shard) == m->sum);
    for (uint32_t i = 0; i < NAMES; i++) {
        struct slice name = name_of(i, text);
        assert_true(shard_find(m->shard, name, shard_hash(m->shard, name)) == m->cell[i]);
        if (m->cell[i] == SHARD_CELL_NONE)
            continue;
        assert_true(slice_equals(shard_name(m->shard, m->cell[i]), name));
        assert_true(shard_count(m->shard, m->cell[i]) == m->count[i]);
    }
}

static void run(uint64_t seed)
{
    struct model *m = calloc(1, sizeof(*m));
    const struct shard_config config = {.cells_max = CELLS_MAX, .hash_key = {seed, ~seed}};

    print_message("seed %llu\n", (unsigned long long)seed);
    m->random = seed | 1;
    for (uint32_t i = 0; i < NAMES; i++)
        m->cell[i] = SHARD_CELL_NONE;
    assert_int_equal(shard_create(&m->shard, &config), 0);
    for (uint32_t i = 0; i < STEPS; i++) {
        if (draw(m, 10) < 8)
            step_hit(m);
        else
            step_take(m);
        if (i % 10000 == 0)
            check_all(m);
    }
    check_all(m);
    shard_destroy(m->shard);
    free(m);
}

/* SEED=… repeats one run. */
static void test_shard_agrees_with_a_plain_list(void **state)
{
    (void)state;
    const char *seed_text = getenv("SEED");
    uint64_t seed;

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
        cmocka_unit_test(test_shard_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
