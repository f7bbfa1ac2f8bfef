#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/world.h"

#define MANY 40

struct fixture {
    struct world world; /* for its env and tally */
    struct keyspace space;
    struct keys *keys;
    struct accounts accounts;
    struct batch batch;
};

static void fixture_init(struct fixture *f)
{
    world_init(&f->world);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->world.tally, &f->space), 0);
    assert_int_equal(batch_init(&f->batch, MANY, UINT32_MAX), 0);
    f->accounts =
        (struct accounts){.env = &f->world.env, .keys = f->keys, .books = &f->world.books, .stats = &f->world.stats};
}

static void fixture_fini(struct fixture *f)
{
    batch_fini(&f->batch);
    keys_destroy(f->keys);
    world_fini(&f->world);
}

static void take(struct fixture *f, const char *name, uint64_t n)
{
    world_hit(&f->world, 0, name, n);
    keys_collect(f->keys);
    batch_begin(&f->batch, &(struct ledger){1, 1});
    accounts_take(&f->accounts, &f->batch, 0);
}

static void assert_books(struct fixture *f, uint64_t stored, uint64_t in_flight, uint64_t poisoned, uint64_t lost)
{
    struct flusher_books b = world_books(&f->world);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, in_flight);
    assert_int_equal(b.poisoned, poisoned);
    assert_int_equal(b.lost, lost);
}

static uint64_t answer(struct fixture *f, enum redis_error_class refused)
{
    for (uint32_t i = 0; i < f->batch.items_count; i++) {
        if (refused)
            batch_refuse(&f->batch, i, refused);
        f->batch.items[i].total = 100;
    }
    return accounts_answered(&f->accounts, &f->batch);
}

static void test_hits_move_through_the_books_with_their_batch(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    take(&f, "n/a", 5);
    assert_books(&f, 0, 5, 0, 0);
    accounts_give_back(&f.accounts, &f.batch);
    assert_books(&f, 0, 0, 0, 0);
    take(&f, "n/a", 1);
    assert_int_equal(answer(&f, REDIS_ERROR_NONE), 6);
    assert_books(&f, 6, 0, 0, 0);
    take(&f, "n/a", 2);
    accounts_applied_unseen(&f.accounts, &f.batch);
    assert_books(&f, 8, 0, 0, 0);
    assert_int_equal(world_read(&f.world, "n/a").stored, 102);
    accounts_left(&f.accounts, 3, 2);
    assert_books(&f, 5, 0, 0, 1);
    assert_int_equal(world_books(&f.world).rolled_back, 3);
    assert_int_equal(f.world.stats.replayed_hits, 2);
    accounts_found(&f.accounts, 3, 2);
    assert_books(&f, 8, 0, 0, 0);
    accounts_found(&f.accounts, 5, 0); /* lost by the process before, so not in these books */
    assert_books(&f, 13, 0, 0, 0);
    fixture_fini(&f);
}

static void test_hits_on_a_refused_key_are_poisoned_until_it_is_taken_up_again(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    take(&f, "n/a", 5);
    assert_int_equal(answer(&f, REDIS_ERROR_WRONGTYPE), 0);
    assert_books(&f, 0, 0, 5, 0);
    world_hit(&f.world, 1, "n/a", 2);
    keys_collect(f.keys);
    accounts_sweep_held(&f.accounts);
    accounts_sweep_held(&f.accounts);
    assert_books(&f, 0, 0, 7, 0);
    keys_release_held(f.keys);
    take(&f, "n/a", 1);
    assert_books(&f, 0, 8, 0, 0);
    assert_int_equal(answer(&f, REDIS_ERROR_NONE), 8);
    assert_books(&f, 8, 0, 0, 0);
    fixture_fini(&f);
}

static void test_refused_keys_are_named_a_few_a_second(void **state)
{
    struct fixture f;
    char name[16];
    (void)state;

    fixture_init(&f);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "n/%d", i & 0xff);
        world_hit(&f.world, 0, name, 1);
    }
    keys_collect(f.keys);
    batch_begin(&f.batch, &(struct ledger){1, 1});
    accounts_take(&f.accounts, &f.batch, 0);
    answer(&f, REDIS_ERROR_WRONGTYPE);
    assert_in_range(f.world.events, 3, 10);
    int before = f.world.events;
    f.world.now_us += 1000000;
    keys_release_held(f.keys);
    take(&f, "n/0", 1);
    answer(&f, REDIS_ERROR_WRONGTYPE);
    assert_true(f.world.events > before);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits_move_through_the_books_with_their_batch),
        cmocka_unit_test(test_hits_on_a_refused_key_are_poisoned_until_it_is_taken_up_again),
        cmocka_unit_test(test_refused_keys_are_named_a_few_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
