/* What is moved from one data set to another: which keys, from where to where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "moving/entry.h"

static struct keyspace from, to;

static int cut(void **state)
{
    (void)state;
    keyspace_init(&from, "tally:", 16);
    keyspace_init(&to, "next:", 64);
    return 0;
}

static struct slice key_of(char out[400], const struct keyspace *s, uint32_t partition, const char *text)
{
    struct slice prefix = keyspace_prefix(s, partition);
    int bytes = snprintf(out, 400, "%.*s%s", (int)prefix.bytes, prefix.at, text);
    return (struct slice){out, (size_t)bytes};
}

static void assert_key(void (*append)(struct buf *, const struct keyspace *, const struct entry *),
                       const struct keyspace *s, const struct entry *e, uint32_t partition, const char *text)
{
    struct buf out = {0};
    char key[400];
    append(&out, s, e);
    assert_true(slice_equals(buf_slice(&out), key_of(key, s, partition, text)));
    buf_fini(&out);
}

static void test_a_counter_goes_where_its_name_belongs(void **state)
{
    char key[400];
    struct entry e;
    (void)state;
    uint32_t old = keyspace_partition(&from, SLICE("blog/a:b")), new = keyspace_partition(&to, SLICE("blog/a:b"));
    assert_int_equal(entry_of_key(&from, &to, key_of(key, &from, old, "blog:a:b"), &e), ENTRY_THERE);
    assert_key(entry_append_old, &from, &e, old, "blog:a:b");
    assert_key(entry_append_new, &to, &e, new, "blog:a:b");
    assert_key(entry_append_mark, &to, &e, new, "!moved:blog:a:b");
    char mark[400];
    assert_true(entry_of_mark(&from, &to, key_of(mark, &to, new, "!moved:blog:a:b"), &e));
    assert_key(entry_append_old, &from, &e, old, "blog:a:b");
}

static void test_a_total_goes_to_one_of_the_new_partitions(void **state)
{
    char key[400];
    struct entry e;
    (void)state;
    keyspace_init(&to, "next:", 4);
    assert_int_equal(entry_of_key(&from, &to, key_of(key, &from, 13, "!total:13:blog"), &e), ENTRY_THERE);
    assert_true(e.total);
    assert_key(entry_append_new, &to, &e, 1, "!total:1:blog");
    assert_key(entry_append_mark, &to, &e, 1, "!moved:!total:13:blog");
    cut(NULL);
}

static void test_a_single_server_has_no_tags(void **state)
{
    struct entry e;
    (void)state;
    keyspace_init(&from, "tally:", 0);
    keyspace_init(&to, "next:", 0);
    assert_int_equal(entry_of_key(&from, &to, SLICE("tally:blog:{"), &e), ENTRY_NONE);
    assert_int_equal(entry_of_key(&from, &to, SLICE("tally:blog:a"), &e), ENTRY_THERE);
    assert_key(entry_append_mark, &to, &e, 0, "!moved:blog:a");
    cut(NULL);
}

static void test_what_is_no_entry_stays_where_it_is(void **state)
{
    static const char *const texts[] = {"",           "blog",           "blog:",         ":a",         "b!:a",
                                        "!meta",      "!move:2",        "!moved:blog:a", "!total:2",   "!total:2:",
                                        "!total::ns", "!total:16:blog", "!total:3:blog", "!total:2:b!"};
    char key[400];
    struct entry e;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_int_equal(entry_of_key(&from, &to, key_of(key, &from, 2, texts[i]), &e), ENTRY_NONE);
    uint32_t old = keyspace_partition(&from, SLICE("blog/a"));
    assert_int_equal(entry_of_key(&from, &to, key_of(key, &from, (old + 1) % 16, "blog:a"), &e), ENTRY_NONE);
    assert_int_equal(entry_of_key(&from, &to, key_of(key, &to, 2, "blog:a"), &e), ENTRY_NONE);
    assert_int_equal(entry_of_key(&from, &to, key_of(key, &from, 2, "!ledger:x:2"), &e), ENTRY_LEDGER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter_goes_where_its_name_belongs),
        cmocka_unit_test(test_a_total_goes_to_one_of_the_new_partitions),
        cmocka_unit_test(test_a_single_server_has_no_tags),
        cmocka_unit_test(test_what_is_no_entry_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, cut, NULL);
}
