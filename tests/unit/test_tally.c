#include "support/address_space.h"
#include "support/skip.h"
#include "tally/seal.h"
#include "tally/shard.h"
#include "tally/tally.h"
#include "tally/totals.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct tally *tally_of(uint32_t workers, uint32_t keys_max)
{
    struct tally *t = NULL;

    assert_int_equal(tally_create(&t, &(struct tally_config){.workers = workers, .keys_max = keys_max}), 0);
    return t;
}

static struct tally_value value_of(const struct tally *t, struct slice name)
{
    struct tally_value value;

    memset(&value, 0xee, sizeof(value)); /* every field must be set */
    tally_read(t, name, &value);
    return value;
}

/* As the flusher does: the store answered `stored`, and that contains `base` of ours. */
static void publish(struct tally *t, struct slice name, int64_t stored, uint64_t base)
{
    uint32_t worker, cell;

    assert_true(tally_find(t, name, &worker, &cell));
    totals_publish(tally_totals(t), totals_intern(tally_totals(t), worker, cell),
                   &(struct total){.stored = stored, .base = base, .as_of_ms = 77});
}

static void test_useless_configurations_are_refused(void **state)
{
    (void)state;
    struct tally *t = NULL;

    assert_int_equal(tally_create(&t, &(struct tally_config){.workers = 0, .keys_max = 10}), -EINVAL);
    assert_int_equal(tally_create(&t, &(struct tally_config){.workers = 2, .keys_max = 0}), -EINVAL);
    assert_int_equal(tally_create(&t, &(struct tally_config){.workers = 2, .keys_max = UINT32_MAX}), -EINVAL);
    assert_null(t);
    tally_destroy(NULL);
}

static void test_hits_of_all_workers_are_summed(void **state)
{
    (void)state;
    struct tally *t = tally_of(3, 10);

    assert_int_equal(tally_workers(t), 3);
    assert_int_equal(tally_hit(t, 0, SLICE("n/a"), 1), TALLY_COUNTED);
    assert_int_equal(tally_hit(t, 2, SLICE("n/a"), 5), TALLY_COUNTED);
    assert_int_equal(tally_hit(t, 2, SLICE("n/b"), 7), TALLY_COUNTED);
    struct tally_value value = value_of(t, SLICE("n/a"));
    assert_int_equal(value.value, 6);
    assert_int_equal(value.pending, 6);
    assert_int_equal(value.stored, 0);
    assert_int_equal(value.as_of_ms, 0);
    assert_true(value.counted);
    assert_false(value.known);
    tally_destroy(t);
}

static void test_name_nobody_counted_is_neither_counted_nor_known(void **state)
{
    (void)state;
    struct tally *t = tally_of(2, 10);
    struct tally_value value = value_of(t, SLICE("n/a"));

    assert_false(value.counted);
    assert_false(value.known);
    assert_int_equal(value.value, 0);
    tally_destroy(t);
}

static void test_value_is_what_is_stored_and_what_is_not_in_it_yet(void **state)
{
    (void)state;
    struct tally *t = tally_of(2, 10);

    tally_hit(t, 0, SLICE("n/a"), 10);
    tally_hit(t, 1, SLICE("n/a"), 20);
    publish(t, shard_name(tally_shard(t, 0), 0), 1000, 25);
    struct tally_value value = value_of(t, SLICE("n/a"));
    assert_int_equal(value.pending, 5);
    assert_int_equal(value.stored, 1000);
    assert_int_equal(value.value, 1005);
    assert_int_equal(value.as_of_ms, 77);
    assert_true(value.counted);
    assert_true(value.known);
    tally_destroy(t);
}

/* ld --wrap: what happens on the flusher's thread behind totals_find(). */
static void (*meanwhile)(void);
uint32_t __real_totals_find(const struct totals *t, struct slice name, uint64_t hash);
uint32_t __wrap_totals_find(const struct totals *t, struct slice name, uint64_t hash);

uint32_t __wrap_totals_find(const struct totals *t, struct slice name, uint64_t hash)
{
    uint32_t entry = __real_totals_find(t, name, hash);
    void (*happens)(void) = meanwhile;

    meanwhile = NULL;
    if (happens)
        happens();
    return entry;
}

static struct tally *flushed;

static void flush_all(void)
{
    uint32_t worker, cell;

    assert_true(tally_find(flushed, SLICE("n/a"), &worker, &cell));
    totals_intern(tally_totals(flushed), worker, cell);
    shard_set_baseline(tally_shard(flushed, worker), cell, 5);
    publish(flushed, SLICE("n/a"), 5, 5);
}

static void test_a_read_while_a_key_is_stored_for_the_first_time_has_all_of_it(void **state)
{
    (void)state;

    flushed = tally_of(1, 10);
    tally_hit(flushed, 0, SLICE("n/a"), 5);
    meanwhile = flush_all;
    struct tally_value value = value_of(flushed, SLICE("n/a"));
    assert_true(value.counted && value.known);
    assert_int_equal(value.value, 5);
    assert_int_equal(value.pending, 0);
    tally_destroy(flushed);
}

static void test_value_too_large_for_int64_is_the_largest(void **state)
{
    (void)state;
    struct tally *t = tally_of(1, 10);

    tally_hit(t, 0, SLICE("n/a"), 10);
    publish(t, shard_name(tally_shard(t, 0), 0), INT64_MAX - 5, 0);
    assert_true(value_of(t, SLICE("n/a")).value == INT64_MAX);
    publish(t, shard_name(tally_shard(t, 0), 0), -15, 0);
    assert_int_equal(value_of(t, SLICE("n/a")).value, -5);
    tally_destroy(t);
}

static void test_key_limit_counts_a_name_once_for_all_workers(void **state)
{
    (void)state;
    struct tally *t = tally_of(2, 2);

    assert_int_equal(tally_hit(t, 0, SLICE("n/a"), 1), TALLY_COUNTED);
    assert_int_equal(tally_hit(t, 1, SLICE("n/a"), 1), TALLY_COUNTED);
    assert_int_equal(tally_keys(t), 1);
    assert_int_equal(tally_hit(t, 1, SLICE("n/b"), 1), TALLY_COUNTED);
    assert_int_equal(tally_keys(t), 2);
    assert_int_equal(tally_hit(t, 0, SLICE("n/c"), 1), TALLY_KEY_LIMIT);
    assert_int_equal(tally_hit(t, 0, SLICE("n/b"), 1), TALLY_COUNTED); /* not new: worker 1 has it */
    assert_int_equal(tally_hit(t, 0, SLICE("n/a"), 1), TALLY_COUNTED);
    assert_int_equal(tally_hit(t, 1, SLICE("n/c"), 1), TALLY_KEY_LIMIT);
    assert_int_equal(tally_keys(t), 2);
    assert_false(value_of(t, SLICE("n/c")).counted);
    assert_int_equal(value_of(t, SLICE("n/a")).value, 3);
    assert_int_equal(shard_sum(tally_shard(t, 0)) + shard_sum(tally_shard(t, 1)), 5);
    tally_destroy(t);
}

static void test_overflow_is_refused_and_the_count_stays(void **state)
{
    (void)state;
    struct tally *t = tally_of(1, 2);

    assert_int_equal(tally_hit(t, 0, SLICE("n/a"), SEAL_MAX), TALLY_COUNTED);
    assert_int_equal(tally_hit(t, 0, SLICE("n/a"), 1), TALLY_OVERFLOW);
    assert_true(value_of(t, SLICE("n/a")).value == (int64_t)SEAL_MAX);
    tally_destroy(t);
}

static size_t address_space_pages(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t bytes = read(fd, text, sizeof(text) - 1);

    close(fd);
    return bytes > 0 ? strtoul(text, NULL, 10) : 0;
}

/* Exit code 0: every limit on the address space made creation fail cleanly, or let it succeed in the end. */
static int create_under_every_limit(void)
{
    const struct tally_config config = {.workers = 2, .keys_max = 100000};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct tally *t = NULL;
    int failures = 0;

    if (tally_create(&t, &config) != 0)
        return 1;
    tally_destroy(t);
    size_t pages = address_space_pages();
    for (size_t more = 0;; more += 1 << 18) {
        struct rlimit limit = {pages * page + more, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
        t = NULL;
        int failed = tally_create(&t, &config);
        tally_destroy(t);
        if (address_space_pages() != pages || (failed && (failed != -ENOMEM || t)))
            return 2;
        if (!failed)
            return failures > 100 ? 0 : 3;
        failures++;
    }
}

static void test_creation_fails_cleanly_wherever_memory_ends(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip_because("the sanitizer's runtime has mappings that are larger than any limit");
#endif
    if (!address_space_can_be_limited())
        skip_because("the address space cannot be limited here");
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(create_under_every_limit());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_processes_do_not_share_a_hash_key(void **state)
{
    (void)state;
    struct tally *a = tally_of(1, 2), *b = tally_of(1, 2);

    assert_true(shard_hash(tally_shard(a, 0), SLICE("n/a")) != shard_hash(tally_shard(b, 0), SLICE("n/a")));
    tally_destroy(a);
    tally_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_useless_configurations_are_refused),
        cmocka_unit_test(test_hits_of_all_workers_are_summed),
        cmocka_unit_test(test_name_nobody_counted_is_neither_counted_nor_known),
        cmocka_unit_test(test_value_is_what_is_stored_and_what_is_not_in_it_yet),
        cmocka_unit_test(test_a_read_while_a_key_is_stored_for_the_first_time_has_all_of_it),
        cmocka_unit_test(test_value_too_large_for_int64_is_the_largest),
        cmocka_unit_test(test_key_limit_counts_a_name_once_for_all_workers),
        cmocka_unit_test(test_overflow_is_refused_and_the_count_stays),
        cmocka_unit_test(test_creation_fails_cleanly_wherever_memory_ends),
        cmocka_unit_test(test_processes_do_not_share_a_hash_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
