#include "api/ranking.h"
#include "tally/shard.h"
#include "tally/totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#define WORKERS 3

struct fixture {
    struct tally *tally;
    struct ranking ranking;
    uint64_t now_ms;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct tally_config config = {.workers = WORKERS, .keys_max = 10000};
    assert_int_equal(tally_create(&f->tally, &config), 0);
    f->now_ms = 5000;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tally_destroy(f->tally);
    free(f);
    return 0;
}

static void hit(struct fixture *f, uint32_t worker, const char *name, uint64_t n)
{
    assert_int_equal(tally_hit(f->tally, worker, (struct slice){name, strlen(name)}, n), TALLY_COUNTED);
}

/* As the flusher learns it; all that was counted so far is in it. */
static void store(struct fixture *f, uint32_t worker, const char *name, int64_t stored)
{
    struct slice slice = {name, strlen(name)};
    struct shard *s = tally_shard(f->tally, worker);
    uint32_t cell = shard_find(s, slice, shard_hash(s, slice));
    struct totals *totals = tally_totals(f->tally);
    uint64_t base = 0;
    for (uint32_t i = 0; i < WORKERS; i++)
        base += tally_mark(f->tally, i, slice).count;
    totals_publish(totals, totals_intern(totals, worker, cell),
                   &(struct total){.stored = stored, .base = base, .as_of_ms = 1});
}

static json_t *shown(struct fixture *f)
{
    struct buf out = {0};
    ranking_make(&f->ranking, f->tally, f->now_ms);
    ranking_print(&f->ranking, &out);
    json_t *json = json_loadb(out.data, out.bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    buf_fini(&out);
    return json;
}

static void assert_shown(struct fixture *f, const char *expected)
{
    json_t *json = shown(f), *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(json, wanted)) {
        char *text = json_dumps(json, 0);
        fail_msg("wanted %s, got %s", expected, text);
    }
    json_decref(json);
    json_decref(wanted);
}

static void test_nothing_counted_is_an_empty_list(void **state) { assert_shown(*state, "[]"); }

static void test_without_a_store_pages_have_what_all_workers_counted(void **state)
{
    struct fixture *f = *state;
    hit(f, 0, "blog/a", 3);
    hit(f, 2, "blog/a", 4);
    hit(f, 1, "blog/b", 5);
    hit(f, 1, "shop/x/y", 50);
    assert_shown(f,
                 "[{\"ns\":\"shop\",\"keys\":1,\"value\":50,\"counted\":50,\"top\":[{\"key\":\"x/y\",\"value\":50}]},"
                 "{\"ns\":\"blog\",\"keys\":2,\"value\":12,\"counted\":12,\"top\":[{\"key\":\"a\",\"value\":7},"
                 "{\"key\":\"b\",\"value\":5}]}]");
}

static void test_what_the_store_holds_is_shown_once_however_many_workers_count_it(void **state)
{
    struct fixture *f = *state;
    for (uint32_t worker = 0; worker < WORKERS; worker++)
        hit(f, worker, "blog/a", 1);
    store(f, 1, "blog/a", 1003);
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        struct slice name = SLICE("blog/a");
        struct shard *s = tally_shard(f->tally, worker);
        totals_intern(tally_totals(f->tally), worker, shard_find(s, name, shard_hash(s, name)));
    }
    assert_shown(
        f, "[{\"ns\":\"blog\",\"keys\":1,\"value\":1003,\"counted\":3,\"top\":[{\"key\":\"a\",\"value\":1003}]}]");
}

static void test_a_ranking_is_kept_until_kept_ms_have_passed(void **state)
{
    struct fixture *f = *state;
    hit(f, 0, "blog/a", 1);
    json_decref(shown(f));
    hit(f, 0, "blog/a", 1);
    assert_true(f->ranking.kept_ms >= RANKING_KEPT_MS);
    f->now_ms += f->ranking.kept_ms - 1;
    assert_shown(f, "[{\"ns\":\"blog\",\"keys\":1,\"value\":1,\"counted\":1,\"top\":[{\"key\":\"a\",\"value\":1}]}]");
    f->now_ms++;
    assert_shown(f, "[{\"ns\":\"blog\",\"keys\":1,\"value\":2,\"counted\":2,\"top\":[{\"key\":\"a\",\"value\":2}]}]");
}

static void test_the_highest_pages_of_many_are_named_in_their_order(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (uint64_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "blog/%d", (int)(i * 7 % 1000));
        hit(f, (uint32_t)i % WORKERS, name, 1 + i * 7 % 1000);
    }
    json_t *json = shown(f), *ns = json_array_get(json, 0), *top = json_object_get(ns, "top");
    assert_int_equal(json_integer_value(json_object_get(ns, "keys")), 1000);
    assert_int_equal(json_integer_value(json_object_get(ns, "value")), 500500);
    assert_int_equal(json_array_size(top), RANKING_PAGES_MAX);
    for (size_t i = 0; i < RANKING_PAGES_MAX; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(top, i), "value")), 1000 - i);
    json_decref(json);
}

static void test_namespaces_beyond_the_bound_are_summed_up_without_a_name(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 0; i < RANKING_NAMESPACES_MAX + 10; i++) {
        snprintf(name, sizeof(name), "ns%d/a", i);
        hit(f, 0, name, 1);
    }
    json_t *json = shown(f), *others = json_array_get(json, 0);
    assert_int_equal(json_array_size(json), RANKING_NAMESPACES_MAX + 1);
    assert_true(json_is_null(json_object_get(others, "ns")));
    assert_int_equal(json_integer_value(json_object_get(others, "keys")), 10);
    assert_int_equal(json_array_size(json_object_get(others, "top")), 0);
    json_decref(json);
}

static void test_sums_stop_at_the_top(void **state)
{
    struct fixture *f = *state;
    hit(f, 0, "blog/a", 1);
    hit(f, 0, "blog/b", 1);
    store(f, 0, "blog/a", INT64_MAX - 1);
    store(f, 0, "blog/b", 5);
    json_t *json = shown(f);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "value")), INT64_MAX);
    json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_counted_is_an_empty_list),
        TEST(test_without_a_store_pages_have_what_all_workers_counted),
        TEST(test_what_the_store_holds_is_shown_once_however_many_workers_count_it),
        TEST(test_a_ranking_is_kept_until_kept_ms_have_passed),
        TEST(test_the_highest_pages_of_many_are_named_in_their_order),
        TEST(test_namespaces_beyond_the_bound_are_summed_up_without_a_name),
        TEST(test_sums_stop_at_the_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
