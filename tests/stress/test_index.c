#include "tally/shard.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/atomic.h"

#define NAMES 100000 /* eight growths */
#define READERS 2

struct shared {
    struct shard *shard;
    uint32_t published; /* names 0…n-1 are there; owner writes, readers load */
};

struct reader {
    struct shared *shared;
    uint64_t missed, strangers, early;
};

static struct slice name_of(uint32_t number, char text[32])
{
    return (struct slice){text, (size_t)snprintf(text, 32, "names/%u", number)};
}

static bool name_is_there(const struct shard *s, uint32_t number)
{
    char text[32];
    struct slice name = name_of(number, text);
    uint32_t cell = shard_find(s, name, shard_hash(s, name));

    return cell != SHARD_CELL_NONE && slice_equals(shard_name(s, cell), name);
}

/* Asks for what the owner has said is there, the newest too, and for what never will be. */
static void *read_names(void *ctx)
{
    struct reader *r = ctx;
    uint32_t there, number = 0;

    while ((there = load_acquire_u32(&r->shared->published)) < NAMES) { /* partner: the owner, below */
        if (there == 0)
            continue;
        number = (number + 7919) % there;
        r->missed += !name_is_there(r->shared->shard, number);
        r->missed += !name_is_there(r->shared->shard, there - 1);
        r->strangers += name_is_there(r->shared->shard, NAMES + number);
        /* Those being added right now: there or not, but never half there, and here only the shard's own
         * edges make their bytes visible. */
        for (uint32_t ahead = 0; ahead < 8 && there + ahead < NAMES; ahead++)
            r->early += name_is_there(r->shared->shard, there + ahead);
    }
    return NULL;
}

static void test_readers_find_every_published_name_while_the_index_grows(void **state)
{
    (void)state;
    struct shared shared = {0};
    struct reader readers[READERS] = {0};
    pthread_t threads[READERS];
    char text[32];

    assert_int_equal(shard_create(&shared.shard, &(struct shard_config){.cells_max = NAMES, .hash_key = {3, 4}}), 0);
    for (int i = 0; i < READERS; i++) {
        readers[i].shared = &shared;
        assert_int_equal(pthread_create(&threads[i], NULL, read_names, &readers[i]), 0);
    }
    for (uint32_t i = 0; i < NAMES; i++) {
        struct slice name = name_of(i, text);
        shard_intern(shared.shard, name, shard_hash(shared.shard, name), false);
        store_release_u32(&shared.published, i + 1); /* partner: read_names() */
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        print_message("reader %d met %llu names early\n", i, (unsigned long long)readers[i].early);
        assert_int_equal(readers[i].missed, 0);
        assert_int_equal(readers[i].strangers, 0);
    }
    shard_destroy(shared.shard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_find_every_published_name_while_the_index_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
