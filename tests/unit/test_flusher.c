/* The thread around the core: workers' questions, waking, draining. Without a store, or one that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "flush/flusher.h"
#include "redis/access.h"
#include "sync/atomic.h"

struct fixture {
    struct redis_access access;
    struct flush_options options;
    struct tally *tally;
    struct flusher *flusher;
    struct error err;
    uint32_t woken;
};

static void wake(void *ctx, uint32_t worker)
{
    struct fixture *f = ctx;
    (void)worker;

    store_release_u32(&f->woken, 1); /* partner: the loop of test_a_question_comes_back_to_its_worker_who_is_woken() */
}

/* In embedded mode, with a flush every 20 ms. */
static void configure(struct fixture *f)
{
    *f = (struct fixture){.access = {.url = {.host = "127.0.0.1", .port = 1}}}; /* nobody listens there */
    f->options = (struct flush_options){
        .prefix = "t:",
        .instance = "00000000-0000-4000-8000-000000000001",
        .flush_interval_ms = 20,
        .batch_keys_max = 100,
    };
}

static int create(struct fixture *f)
{
    const struct flusher_config config = {.options = &f->options, .wake_worker = wake, .wake_ctx = f};

    return flusher_create(&f->flusher, &config, f->tally, &f->err);
}

static void fixture_init(struct fixture *f)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 2, .keys_max = 1000}), 0);
    assert_int_equal(create(f), 0);
    assert_int_equal(flusher_start(f->flusher, &f->err), 0);
}

static void fixture_fini(struct fixture *f)
{
    flusher_destroy(f->flusher);
    tally_destroy(f->tally);
}

static void hit(struct fixture *f, uint32_t worker, const char *name, uint64_t n)
{
    assert_int_equal(tally_hit(f->tally, worker, (struct slice){name, strlen(name)}, n), TALLY_COUNTED);
}

static struct question *question_about(uint32_t worker, const char *name, uint64_t timeout_ms)
{
    struct question *question = calloc(1, sizeof(*question) + sizeof(question->results[0]));

    question->worker = worker;
    question->count = 1;
    question->deadline_ms = clock_mono_ms() + timeout_ms;
    question->results[0].name_bytes = (uint16_t)snprintf(question->results[0].name, NAME_BYTES_MAX, "%s", name);
    return question;
}

static void test_hits_are_stored_without_being_asked_for(void **state)
{
    struct fixture f;
    struct flusher_books books;
    (void)state;

    configure(&f);
    fixture_init(&f);
    hit(&f, 0, "n/a", 3);
    hit(&f, 1, "n/a", 4);
    for (int i = 0; i < 1000; i++) {
        flusher_books(f.flusher, &books);
        if (books.stored == 7)
            break;
        usleep(5000);
    }
    assert_int_equal(books.stored, 7);
    assert_true(stat_read(&flusher_stats(f.flusher)->flushes) >= 1);
    fixture_fini(&f);
}

static void test_a_question_comes_back_to_its_worker_who_is_woken(void **state)
{
    struct fixture f;
    struct question *question, *other;
    (void)state;

    configure(&f);
    fixture_init(&f);
    assert_true(mailbox_ask(flusher_mailbox(f.flusher), question_about(1, "n/a", 1000)));
    for (int i = 0; i < 1000 && !load_acquire_u32(&f.woken); i++)
        usleep(5000);
    assert_false(mailbox_answer(flusher_mailbox(f.flusher), 0, &other));
    assert_true(mailbox_answer(flusher_mailbox(f.flusher), 1, &question));
    assert_int_equal(question->results[0].state, ANSWER_MISSING);
    free(question);
    fixture_fini(&f);
}

static void test_no_more_questions_are_taken_than_can_come_back(void **state)
{
    struct fixture f;
    struct question *question;
    uint32_t asked = 0, back = 0;
    (void)state;

    configure(&f);
    fixture_init(&f);
    for (;; asked++) {
        question = question_about(0, "n/a", 1000);
        if (!mailbox_ask(flusher_mailbox(f.flusher), question))
            break;
    }
    free(question); /* still ours */
    assert_int_equal(asked, 1023);
    assert_int_equal(flusher_drain(f.flusher, clock_mono_ms() + 5000), 0);
    for (; mailbox_answer(flusher_mailbox(f.flusher), 0, &question); back++)
        free(question);
    assert_int_equal(back, asked);
    fixture_fini(&f);
}

static void test_drain_stores_what_is_left(void **state)
{
    struct fixture f;
    struct flusher_books books;
    (void)state;

    configure(&f);
    f.options.flush_interval_ms = 3600000;
    fixture_init(&f);
    hit(&f, 0, "n/a", 3);
    assert_int_equal(flusher_drain(f.flusher, clock_mono_ms() + 5000), 0);
    flusher_books(f.flusher, &books);
    assert_int_equal(books.stored, 3);
    assert_int_equal(flusher_drain(f.flusher, 0), 0); /* again is harmless */
    fixture_fini(&f);
}

static void test_drain_without_the_store_ends_at_its_deadline(void **state)
{
    struct fixture f;
    struct flusher_books books;
    struct question *question;
    (void)state;

    configure(&f);
    f.options.redis = &f.access;
    fixture_init(&f);
    hit(&f, 0, "n/a", 3);
    assert_true(mailbox_ask(flusher_mailbox(f.flusher), question_about(0, "n/a", 60000)));
    assert_int_equal(flusher_drain(f.flusher, clock_mono_ms() + 200), -ETIMEDOUT);
    flusher_books(f.flusher, &books);
    assert_int_equal(books.stored, 0);
    assert_true(mailbox_answer(flusher_mailbox(f.flusher), 0, &question)); /* what was asked comes back all the same */
    assert_int_equal(question->results[0].state, ANSWER_FAILED);
    free(question);
    fixture_fini(&f);
}

static void assert_refused(struct fixture *f, const char *why)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 1, .keys_max = 10}), 0);
    assert_true(create(f) < 0);
    if (!strstr(f->err.text, why))
        fail_msg("'%s' is not '%s'", f->err.text, why);
    tally_destroy(f->tally);
}

static void test_what_cannot_work_is_refused_with_a_sentence(void **state)
{
    char prefix[300];
    struct fixture f;
    (void)state;

    configure(&f);
    memset(prefix, 'p', sizeof(prefix) - 1);
    prefix[sizeof(prefix) - 1] = '\0';
    f.options.prefix = prefix;
    assert_refused(&f, "--prefix is longer");
    configure(&f);
    f.options.partitions = 100000;
    assert_refused(&f, "--partitions");
    f.options.partitions = 16;
    f.options.prefix = "a{b}";
    assert_refused(&f, "hash slots");
    f.options.prefix = "t:";
    f.options.redis = &f.access;
    f.access.url.db = 3;
    assert_refused(&f, "database 0");
    configure(&f);
    f.options.flush_interval_ms = 0;
    assert_refused(&f, "must not be 0");
    configure(&f);
    f.options.batch_keys_max = 0;
    assert_refused(&f, "must not be 0");
    configure(&f);
    f.options.redis = &f.access;
    f.access.url.tls = true;
    f.access.tls = (struct tls_config){.ca_file = "/there/is/no/such/file", .cert_file = "", .key_file = ""};
    assert_refused(&f, "/there/is/no/such/file");
}

static void test_a_cut_is_awaited_until_it_is_known_or_the_deadline(void **state)
{
    struct fixture f;
    (void)state;

    configure(&f);
    f.options.redis = &f.access;
    fixture_init(&f);
    assert_int_equal(flusher_await_cut(f.flusher, clock_mono_ms() + 60000, &f.err), 0); /* no cluster: at once */
    fixture_fini(&f);
    f.options.partitions = 16;
    fixture_init(&f);
    uint64_t deadline = clock_mono_ms() + 30;
    assert_int_equal(flusher_await_cut(f.flusher, deadline, &f.err), 0);
    assert_true(clock_mono_ms() >= deadline);
    struct flusher_stats *stats = (struct flusher_stats *)(uintptr_t)flusher_stats(f.flusher);
    store_relaxed_u64(&stats->partitions_found, 8);
    store_release_u32(&stats->cut, CUT_DIFFERS); /* as the store does, were there one */
    assert_int_equal(flusher_await_cut(f.flusher, clock_mono_ms() + 60000, &f.err), -EINVAL);
    assert_non_null(strstr(f.err.text, "8 partitions, not 16"));
    fixture_fini(&f);
}

/* Of TLS, too: what it takes is made before the first connection. */
static void test_asked_to_reconnect_it_goes_on(void **state)
{
    (void)state;

    for (int tls = 0; tls < 2; tls++) {
        struct fixture f;
        configure(&f);
        f.options.redis = &f.access;
        f.access.url.tls = tls;
        f.access.tls = (struct tls_config){"", "", "", NULL};
        fixture_init(&f);
        assert_false(flusher_drain_ended(f.flusher));
        flusher_reconnect(f.flusher);
        while (stat_read(&flusher_stats(f.flusher)->link_errors) == 0)
            usleep(1000);
        hit(&f, 0, "n/a", 1);
        assert_int_equal(flusher_drain(f.flusher, clock_mono_ms() + 50), -ETIMEDOUT);
        assert_true(flusher_drain_ended(f.flusher));
        fixture_fini(&f);
    }
    flusher_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_is_awaited_until_it_is_known_or_the_deadline),
        cmocka_unit_test(test_asked_to_reconnect_it_goes_on),
        cmocka_unit_test(test_hits_are_stored_without_being_asked_for),
        cmocka_unit_test(test_a_question_comes_back_to_its_worker_who_is_woken),
        cmocka_unit_test(test_no_more_questions_are_taken_than_can_come_back),
        cmocka_unit_test(test_drain_stores_what_is_left),
        cmocka_unit_test(test_drain_without_the_store_ends_at_its_deadline),
        cmocka_unit_test(test_what_cannot_work_is_refused_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
