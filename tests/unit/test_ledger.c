#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owed/ledger.h"

static void test_a_value_survives_its_way_to_the_server(void **state)
{
    static const struct ledger values[] = {{1, 0}, {7, 0xdeadbeef}, {999999999999, UINT64_MAX}};
    char text[LEDGER_VALUE_BYTES_MAX];
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct ledger back;
        size_t bytes = ledger_format(&values[i], text);
        assert_int_equal(bytes, strlen(text));
        assert_true(ledger_parse((struct slice){text, bytes}, &back));
        assert_true(ledger_equals(&values[i], &back));
    }
}

static void test_what_no_tallyd_wrote_is_not_understood(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1 ",
        " 0000000000000001",
        "0 0000000000000001",
        "01 0000000000000001",
        "-1 0000000000000001",
        "1 000000000000001",
        "1 00000000000000001",
        "1 000000000000000G",
        "1 000000000000000A",
        "1  000000000000001",
        "1 0000000000000001 ",
        "99999999999999999999 0000000000000001",
        "x 0000000000000001",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ledger l = {42, 42};
        if (ledger_parse((struct slice){bad[i], strlen(bad[i])}, &l))
            fail_msg("understood: '%s'", bad[i]);
        assert_int_equal(l.seq, 42);
    }
    assert_false(ledger_parse((struct slice){"1 000000000000000\0", 18}, &(struct ledger){0}));
}

static void test_each_ledger_has_its_verdict(void **state)
{
    const struct ledger none = {0}, acked = {5, 50}, batch = {6, 60}, replaced = {6, 66};
    (void)state;

    assert_int_equal(ledger_judge(&none, NULL, NULL, NULL), LEDGER_AS_ACKED);
    assert_int_equal(ledger_judge(&none, &(struct ledger){1, 10}, NULL, NULL), LEDGER_AS_ACKED);
    assert_int_equal(ledger_judge(&none, &(struct ledger){1, 10}, NULL, &(struct ledger){1, 10}), LEDGER_BATCH_APPLIED);
    assert_int_equal(ledger_judge(&none, &(struct ledger){1, 10}, NULL, &(struct ledger){1, 11}), LEDGER_FOREIGN);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, NULL), LEDGER_MISSING);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &acked), LEDGER_AS_ACKED);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &batch), LEDGER_BATCH_APPLIED);
    assert_int_equal(ledger_judge(&acked, &batch, &replaced, &batch), LEDGER_BATCH_APPLIED);
    assert_int_equal(ledger_judge(&acked, &batch, &replaced, &replaced), LEDGER_REPLACED_APPLIED);
    assert_int_equal(ledger_judge(&acked, NULL, NULL, &batch), LEDGER_FOREIGN);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &(struct ledger){6, 61}), LEDGER_FOREIGN);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &(struct ledger){5, 51}), LEDGER_FOREIGN);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &(struct ledger){7, 60}), LEDGER_FOREIGN);
    assert_int_equal(ledger_judge(&acked, &batch, NULL, &(struct ledger){4, 40}), LEDGER_BEHIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_survives_its_way_to_the_server),
        cmocka_unit_test(test_what_no_tallyd_wrote_is_not_understood),
        cmocka_unit_test(test_each_ledger_has_its_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
