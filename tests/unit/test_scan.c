/* A page of names, and what SCAN said. */
#include "owed/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nodes/scan_names.h"
#include "nodes/scan_place.h"

static void add(struct scan *s, const char *names)
{
    for (const char *at = names; *at; at++) {
        char name[] = {'n', '/', *at};
        assert_int_equal(scan_add(s, (struct slice){name, sizeof(name)}), 0);
    }
}

static void assert_page(const struct scan *s, const char *names)
{
    assert_int_equal(s->count, strlen(names));
    for (uint32_t i = 0; i < s->count; i++)
        assert_int_equal(scan_name_at(s, i).at[2], names[i]);
}

/* The same answer again, as SCAN gives to the same cursor. */
static bool page(struct scan *s, const char *answer)
{
    scan_clear(s);
    add(s, answer);
    return scan_settle(s, 0);
}

static void test_an_answer_too_long_for_a_page_goes_on_where_that_ended(void **state)
{
    (void)state;
    struct scan *s = scan_create(SLICE("n/"), 2);
    assert_false(page(s, "ebadc"));
    assert_page(s, "ab");
    assert_false(page(s, "edcba"));
    assert_page(s, "cd");
    assert_true(page(s, "abcde"));
    assert_page(s, "e");
    assert_int_equal(s->place.taken, 0);
    scan_destroy(s);
}

static void test_another_answer_to_the_same_cursor_is_shown_whole(void **state)
{
    (void)state;
    static const char *const others[] = {"acdef", "abbcx", "b", "", "bcdef"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        struct scan *s = scan_create(SLICE("n/"), 3);
        assert_false(page(s, "acdef"));
        assert_page(s, "acd");
        uint32_t before = s->place.taken;
        s->limit = 10;
        assert_true(page(s, others[i]));
        char whole[8];
        snprintf(whole, sizeof(whole), "%s", i == 1 ? "abcx" : others[i]);
        assert_page(s, i == 0 ? whole + before : whole);
        scan_destroy(s);
    }
}

static void test_a_name_that_comes_twice_in_an_answer_is_shown_once(void **state)
{
    (void)state;
    struct scan *s = scan_create(SLICE("n/"), 100);
    add(s, "x");
    assert_true(scan_settle(s, 0));
    add(s, "baab");
    assert_true(scan_settle(s, 1));
    assert_page(s, "xab");
    scan_destroy(s);
}

static void assert_pattern(const struct keyspace *space, const char *begins, const char *pattern)
{
    struct buf b = {0};
    scan_pattern(&b, space, (struct slice){begins, strlen(begins)});
    buf_append(&b, "", 1);
    assert_string_equal(b.data, pattern);
    buf_fini(&b);
}

static void test_a_pattern_says_what_it_means(void **state)
{
    (void)state;
    struct keyspace *space = test_malloc(sizeof(*space));
    keyspace_init(space, "t*:", 0);
    assert_pattern(space, "n/", "t\\*:n:*");
    assert_pattern(space, "n/a*b?[c]\\", "t\\*:n:a\\*b\\?\\[c\\]\\\\*");
    keyspace_init(space, "t:", 16);
    assert_pattern(space, "n/a", "t:{*}n:a*");
    test_free(space);
}

static struct scan *names_of(const struct keyspace *space, const char *begins, const char *const keys[], uint32_t count)
{
    struct reply items[8], tree[2];
    struct scan *s = scan_create((struct slice){begins, strlen(begins)}, 100);
    uint64_t cursor;
    memset(s->place.under_way, 0xff, sizeof(s->place.under_way));
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct reply){.type = REPLY_STRING, .text = {keys[i], strlen(keys[i])}};
    tree[0] = (struct reply){.type = REPLY_STRING, .text = SLICE("18446744073709551615")};
    tree[1] = (struct reply){.type = REPLY_ARRAY, .items_count = count, .items = items};
    const struct reply reply = {.type = REPLY_ARRAY, .items_count = 2, .items = tree};
    assert_true(scan_names_read(s, space, &reply, &cursor));
    assert_true(cursor == UINT64_MAX);
    return s;
}

static void test_only_keys_of_counters_are_names(void **state)
{
    (void)state;
    struct keyspace *space = test_malloc(sizeof(*space));
    keyspace_init(space, "t:", 0);
    static const char *const keys[] = {"t:n:a/b", "t:n:", "t:n", "x:n:a", "t:nn:a", "t:n:{a", "t:n:a\x01"};
    struct scan *s = names_of(space, "n/a", keys, 7);
    assert_int_equal(s->count, 1);
    assert_true(slice_equals(scan_name_at(s, 0), SLICE("n/a/b")));
    scan_destroy(s);
    keyspace_init(space, "t:", 16);
    char mine[64], other[64];
    uint32_t partition = keyspace_partition(space, SLICE("n/a"));
    struct slice prefix = keyspace_prefix(space, partition), next = keyspace_prefix(space, (partition + 1) % 16);
    snprintf(mine, sizeof(mine), "%.*sn:a", (int)prefix.bytes, prefix.at);
    snprintf(other, sizeof(other), "%.*sn:a", (int)next.bytes, next.at); /* nobody counts it there */
    s = names_of(space, "n/", (const char *const[]){mine, other, "t:n:a", "t:{n:a"}, 4);
    assert_int_equal(s->count, 1);
    scan_destroy(s);
    test_free(space);
}

static void test_what_is_no_answer_to_scan_is_told(void **state)
{
    (void)state;
    struct keyspace *space = test_malloc(sizeof(*space));
    keyspace_init(space, "t:", 0);
    struct scan *s = scan_create(SLICE("n/"), 100);
    uint64_t cursor;
    struct reply number = {.type = REPLY_INTEGER}, none = {.type = REPLY_ARRAY};
    struct reply texts[] = {{.type = REPLY_STRING, .text = SLICE("0")}, number};
    assert_false(scan_names_read(s, space, &number, &cursor));
    assert_false(scan_names_read(s, space, &none, &cursor));
    assert_false(
        scan_names_read(s, space, &(struct reply){.type = REPLY_ARRAY, .items_count = 2, .items = texts}, &cursor));
    static const char *const bad[] = {"", "x", "-1", "18446744073709551616"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct reply pair[] = {{.type = REPLY_STRING, .text = {bad[i], strlen(bad[i])}}, none};
        assert_false(
            scan_names_read(s, space, &(struct reply){.type = REPLY_ARRAY, .items_count = 2, .items = pair}, &cursor));
    }
    assert_true(slice_equals(scan_run_id(SLICE("# Server\r\nrun_id:abc\r\nx:y\r\n")), SLICE("abc")));
    assert_int_equal(scan_run_id(SLICE("# Server\r\n")).bytes, 0);
    scan_destroy(s);
    test_free(space);
}

static void test_a_walk_meets_each_partition_where_it_lives(void **state)
{
    (void)state;
    struct scan_place p = {0};
    uint64_t there[SCAN_PARTITION_WORDS] = {0x5};
    assert_int_equal(place_partition(&p, 4), 0);
    place_settle(&p, there); /* 0 and 2 live there */
    p.cursor = 99;
    there[0] = 0x9; /* 2 has gone, 3 has come: neither is walked through to its end here */
    place_settle(&p, there);
    assert_int_equal(p.under_way[0], 0x1);
    p.cursor = 0;
    place_end_node(&p);
    assert_int_equal(place_partition(&p, 4), 1);
    there[0] = 0xe;
    place_settle(&p, there);
    place_end_node(&p);
    assert_int_equal(place_partition(&p, 4), PARTITIONS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_too_long_for_a_page_goes_on_where_that_ended),
        cmocka_unit_test(test_another_answer_to_the_same_cursor_is_shown_whole),
        cmocka_unit_test(test_a_name_that_comes_twice_in_an_answer_is_shown_once),
        cmocka_unit_test(test_a_pattern_says_what_it_means),
        cmocka_unit_test(test_only_keys_of_counters_are_names),
        cmocka_unit_test(test_what_is_no_answer_to_scan_is_told),
        cmocka_unit_test(test_a_walk_meets_each_partition_where_it_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
