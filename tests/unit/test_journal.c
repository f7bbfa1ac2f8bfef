#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ledger/journal.h"

#define PARTS_MAX 5

static const struct journal_part parts[PARTS_MAX] = {
    {1, 0, 5}, {UINT64_C(1) << 32 | 7, 3, 9}, {2, 100, 101}, {3, 1, 2}, {4, 0, 77}};

struct fixture {
    struct env env;
    struct journal journal;
    uint32_t bytes;
    void *area;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.bytes = journal_bytes(PARTS_MAX)};
    f->area = calloc(1, f->bytes);
    journal_open(&f->journal, f->area, f->bytes, &f->env);
}

static void fixture_fini(struct fixture *f) { free(f->area); }

static void intend(struct fixture *f, uint64_t seq, uint32_t parts_count, bool replaces)
{
    journal_intend(&f->journal, &(struct journal_batch){.ledger = {seq, seq * 10},
                                                        .acked = {seq - 1, (seq - 1) * 10},
                                                        .instance = "one",
                                                        .kind = replaces ? JOURNAL_REPLACING : JOURNAL_BATCH,
                                                        .parts = parts,
                                                        .parts_count = parts_count});
}

static void acknowledge(struct fixture *f, uint64_t seq)
{
    journal_acknowledge(&f->journal, "one", &(struct ledger){seq, seq * 10},
                        &(struct journal_stored){.entries = {{{seq, seq * 10}, seq * 100}}, .count = 1});
}

static enum journal_verdict read_all(const struct fixture *f, struct journal_view *v)
{
    return journal_read((struct slice){f->area, f->bytes}, v);
}

static void test_a_batch_is_open_from_its_intent_to_its_acknowledgement(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    acknowledge(&f, 0);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
        assert_null(v.batch);
        assert_int_equal(v.acked.seq, seq - 1);
        intend(&f, seq, (uint32_t)seq, false);
        assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
        assert_non_null(v.batch);
        assert_null(v.replaced);
        assert_int_equal(v.batch->ledger.seq, seq);
        assert_int_equal(v.acked.seq, seq - 1);
        assert_int_equal(v.batch->parts_count, seq);
        assert_memory_equal(v.batch->parts, parts, seq * sizeof(parts[0]));
        assert_string_equal(v.instance, "one");
        acknowledge(&f, seq);
    }
    assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
    assert_int_equal(v.stored->count, 1);
    assert_int_equal(v.stored->entries[0].hits, 500);
    fixture_fini(&f);
}

static void test_a_replaced_batch_and_its_replacement_are_open_together(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    acknowledge(&f, 0);
    intend(&f, 1, 3, false);
    intend(&f, 1, 0, true);
    assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
    assert_int_equal(v.batch->parts_count, 0);
    assert_int_equal(v.replaced->parts_count, 3);
    acknowledge(&f, 1);
    assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
    assert_null(v.batch);
    assert_null(v.replaced);
    fixture_fini(&f);
}

static void test_opened_again_it_goes_on_where_it_was(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    acknowledge(&f, 0);
    intend(&f, 1, 1, false);
    journal_open(&f.journal, f.area, f.bytes, &f.env);
    assert_int_equal(f.journal.parts_max >= PARTS_MAX, 1);
    acknowledge(&f, 1);
    intend(&f, 2, 2, false);
    assert_int_equal(read_all(&f, &v), JOURNAL_WHOLE);
    assert_int_equal(v.batch->ledger.seq, 2);
    fixture_fini(&f);
}

static void test_a_journal_of_zeroes_is_lost_not_empty(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    memset(f.area, 0, f.bytes);
    assert_int_equal(read_all(&f, &v), JOURNAL_LOST);
    assert_int_equal(journal_read((struct slice){f.area, 10}, &v), JOURNAL_LOST);
    fixture_fini(&f);
}

/* Whatever byte is damaged: the open batch comes out as it is, or the journal says that it is lost. */
static void test_no_damage_hides_or_changes_an_open_batch(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    acknowledge(&f, 0);
    intend(&f, 1, 2, false);
    acknowledge(&f, 1);
    intend(&f, 2, PARTS_MAX, false);
    uint32_t lost = 0;
    for (uint32_t at = 0; at < f.bytes; at++) {
        for (int flip = 1; flip < 256; flip = flip * 2 + 1) {
            ((char *)f.area)[at] ^= (char)flip;
            if (read_all(&f, &v) == JOURNAL_LOST) {
                lost++;
            } else {
                assert_non_null(v.batch);
                assert_int_equal(v.batch->ledger.seq, 2);
                assert_int_equal(v.acked.seq, 1);
                assert_string_equal(v.instance, "one");
                assert_memory_equal(v.batch->parts, parts, sizeof(parts));
            }
            ((char *)f.area)[at] ^= (char)flip;
        }
    }
    assert_true(lost > 0 && lost / 8 <= sizeof(struct journal_record) + sizeof(parts));
    fixture_fini(&f);
}

/* And when nothing is open, nothing is lost: a batch that was acknowledged may come out as open, which its ledger
 * then settles. */
static void test_no_damage_loses_a_journal_without_an_open_batch(void **state)
{
    struct fixture f;
    struct journal_view v;
    (void)state;

    fixture_init(&f);
    acknowledge(&f, 0);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        intend(&f, seq, PARTS_MAX, false);
        acknowledge(&f, seq);
    }
    for (uint32_t at = 0; at < f.bytes; at++) {
        ((char *)f.area)[at] ^= (char)0xff;
        enum journal_verdict verdict = read_all(&f, &v);
        assert_int_equal(verdict, JOURNAL_WHOLE);
        assert_int_equal(v.acked.seq, v.batch ? 2 : 3);
        assert_true(!v.batch || v.damaged);
        assert_true(v.stored ? v.stored->entries[0].hits == 300 : v.damaged);
        ((char *)f.area)[at] ^= (char)0xff;
    }
    fixture_fini(&f);
}

static void test_without_a_state_file_nothing_is_written(void **state)
{
    struct fixture f = {0};
    (void)state;

    journal_open(&f.journal, NULL, 0, &f.env);
    intend(&f, 1, 1, false);
    acknowledge(&f, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_is_open_from_its_intent_to_its_acknowledgement),
        cmocka_unit_test(test_a_replaced_batch_and_its_replacement_are_open_together),
        cmocka_unit_test(test_opened_again_it_goes_on_where_it_was),
        cmocka_unit_test(test_a_journal_of_zeroes_is_lost_not_empty),
        cmocka_unit_test(test_no_damage_hides_or_changes_an_open_batch),
        cmocka_unit_test(test_no_damage_loses_a_journal_without_an_open_batch),
        cmocka_unit_test(test_without_a_state_file_nothing_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
