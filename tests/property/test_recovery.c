/* Every damage to a small state file: cut at every length, each byte flipped, and sampled bits. Whatever it is,
 * recovery does not crash, no name gets more than was ever counted, and nothing that is missing is missing in silence.
 * By default holes are sampled (one byte of 61, so that each place in a word is met); with TALLYD_LONG=1 every byte
 * and length is tried. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/state_run.h"

/* What the process was doing when it died. */
enum moment {
    MOMENT_NOTHING_SENT,
    MOMENT_SENT,      /* and the bytes were lost */
    MOMENT_APPLIED,   /* and the answer was lost */
    MOMENT_BASELINES, /* answered, and half of the baselines moved */
    MOMENT_ACKED,
    MOMENTS,
};

/* Is this byte far from all that was written? */
static bool in_a_hole(const struct memory_disk *left, uint64_t at)
{
    static const char zeroes[128];
    uint64_t from = at / sizeof(zeroes) * sizeof(zeroes);

    return memcmp(left->old + from, zeroes, sizeof(zeroes)) == 0;
}

static bool is_tried(const struct memory_disk *left, uint64_t at)
{
    return getenv("TALLYD_LONG") || at % 61 == 0 || !in_a_hole(left, at);
}

static const struct run_config two = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4};

static void hits(struct run_process *p, struct run_model *m, uint64_t salt)
{
    for (uint32_t i = 0; i < RUN_NAMES; i++)
        for (uint32_t worker = 0; worker < 2; worker++)
            if ((i + worker + salt) % 3)
                assert_int_equal(run_hit(p, m, worker, i, 1 + (i * 7 + worker * 3 + salt) % 300), TALLY_COUNTED);
}

/* A run that dies at `moment`; what it leaves goes to `left`. */
static void live_and_die(enum moment moment, struct run_model *m, struct memory_disk *left)
{
    struct run_process p = {0};
    struct error err;

    *m = (struct run_model){0};
    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &two, 1, &err), 0);
    hits(&p, m, 0);
    assert_true(run_intend(&p) && run_store(&p, m, &p.batch)); /* four names of eight are stored */
    run_answered(&p, &p.batch);
    hits(&p, m, 1);
    if (moment != MOMENT_NOTHING_SENT)
        assert_true(run_intend(&p));
    hits(&p, m, 2);
    if (moment >= MOMENT_APPLIED)
        assert_true(run_store(&p, m, &p.batch));
    if (moment == MOMENT_BASELINES)
        batch_item_applied(&p.batch, p.keys, &p.batch.items[0]);
    if (moment == MOMENT_ACKED)
        run_answered(&p, &p.batch);
    memory_disk_crash(&p.disk, left);
    run_end(&p);
}

struct outcome {
    uint64_t missing; /* hits that were written and are nowhere */
    uint64_t lost;    /* that the recovery says so of */
    bool damaged;
};

/* The next run, on a copy of `left` with one damage, drained into a copy of the store. */
static struct outcome recover(const struct memory_disk *left, const struct run_model *before,
                              const struct run_config *config, uint64_t bytes, uint64_t at, uint8_t flip)
{
    struct run_process p = {0};
    struct run_model m = *before;
    struct outcome o = {0};
    struct error err;

    memory_disk_init(&p.disk);
    p.disk.old = malloc(bytes + 1); /* of exactly that length, for AddressSanitizer */
    p.disk.old_bytes = bytes;
    memcpy(p.disk.old, left->old, bytes);
    if (flip)
        p.disk.old[at] ^= (char)flip;
    if (run_start(&p, config, 99, &err) != 0)
        fail_msg("cut at %llu, byte %llu ^ %u: %s", (unsigned long long)bytes, (unsigned long long)at, flip, err.text);
    run_drain(&p, &m);
    for (uint32_t i = 0; i < RUN_NAMES; i++) {
        if (m.stored[i] > m.written[i])
            fail_msg("cut at %llu, byte %llu ^ %u: %llu of %llu hits of name %u", (unsigned long long)bytes,
                     (unsigned long long)at, flip, (unsigned long long)m.stored[i], (unsigned long long)m.written[i],
                     i);
        o.missing += m.written[i] - m.stored[i];
    }
    o.lost = p.recovery.lost_hits;
    o.damaged = p.recovery.damaged;
    assert_int_equal(p.disk.commits, 1);
    assert_int_equal(p.disk.asides, o.damaged);
    run_end(&p);
    return o;
}

static void test_an_undamaged_file_gives_every_hit_once_for_any_number_of_workers(void **state)
{
    (void)state;
    for (enum moment moment = 0; moment < MOMENTS; moment++) {
        for (uint32_t workers = 1; workers <= 3; workers++) {
            const struct run_config config = {.workers = workers, .keys_max = 5, .batch_keys_max = 4};
            struct memory_disk left;
            struct run_model m;
            live_and_die(moment, &m, &left);
            struct outcome o = recover(&left, &m, &config, left.old_bytes, 0, 0);
            assert_int_equal(o.missing, 0);
            assert_int_equal(o.lost, 0);
            assert_false(o.damaged);
            memory_disk_fini(&left);
        }
    }
}

static void test_every_flipped_byte_never_gives_a_hit_twice(void **state)
{
    (void)state;
    for (enum moment moment = 0; moment < MOMENTS; moment++) {
        struct memory_disk left;
        struct run_model m;
        uint64_t harmless = 0, tried = 0;
        live_and_die(moment, &m, &left);
        for (uint64_t at = 0; at < left.old_bytes; at++) {
            if (!is_tried(&left, at))
                continue;
            struct outcome all = recover(&left, &m, &two, left.old_bytes, at, 0xff);
            struct outcome bit = recover(&left, &m, &two, left.old_bytes, at, (uint8_t)(1 << (at * 7 + at / 8) % 8));
            if (all.missing && !all.damaged)
                fail_msg("byte %llu: %llu hits missing in silence", (unsigned long long)at,
                         (unsigned long long)all.missing);
            assert_true(bit.damaged || !bit.missing);
            harmless += !all.missing;
            tried++;
        }
        /* Most of a file is holes, and the header is there twice. */
        assert_true(harmless > tried / 2);
        memory_disk_fini(&left);
    }
}

static void test_one_damaged_cell_costs_no_other_name(void **state)
{
    (void)state;
    struct memory_disk left;
    struct run_model m;
    live_and_die(MOMENT_ACKED, &m, &left);
    struct state_header header;
    struct state_plan plan;
    memcpy(&header, left.old, sizeof(header));
    assert_true(state_plan_make(&header.geometry, &plan));
    for (uint32_t cell = 0; cell < 4; cell++) {
        uint64_t at = state_shard_at(&plan, 1) + cell * sizeof(struct cell);
        struct outcome o = recover(&left, &m, &two, left.old_bytes, at, 0xff);
        assert_true(o.damaged);
        assert_true(o.missing <= 900);
    }
    memory_disk_fini(&left);
}

static void test_every_truncation_never_gives_a_hit_twice(void **state)
{
    (void)state;
    for (enum moment moment = MOMENT_SENT; moment < MOMENTS; moment += 2) {
        struct memory_disk left;
        struct run_model m;
        live_and_die(moment, &m, &left);
        for (uint64_t bytes = 0; bytes < left.old_bytes; bytes++) {
            if (!is_tried(&left, bytes))
                continue;
            struct outcome o = recover(&left, &m, &two, bytes, 0, 0);
            if (o.missing && !o.damaged)
                fail_msg("cut at %llu: %llu hits missing in silence", (unsigned long long)bytes,
                         (unsigned long long)o.missing);
        }
        memory_disk_fini(&left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_undamaged_file_gives_every_hit_once_for_any_number_of_workers),
        cmocka_unit_test(test_every_flipped_byte_never_gives_a_hit_twice),
        cmocka_unit_test(test_one_damaged_cell_costs_no_other_name),
        cmocka_unit_test(test_every_truncation_never_gives_a_hit_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
