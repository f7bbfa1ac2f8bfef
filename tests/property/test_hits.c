/* Random requests for counting, good and bad, single and many at once: what is answered as counted is in the tally, and
 * nothing else is. Every failure names its seed; SEED=n runs that one alone. */
#include "api/api.h"
#include "request/api_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/handler.h"
#include "request/stats.h"
#include "support/chance.h"
#include "tally/shard.h"
#include "tally/tally.h"

#define SEEDS 300
#define REQUESTS 200
#define KEYS 8
#define KEYS_MAX 6 /* the tally's: the others are refused */

/* A query, and what it counts; 0: it is to be refused. */
static const struct variant {
    const char *query;
    uint64_t n;
} queries[] = {
    {NULL, 1},
    {"", 1},
    {"n=1", 1},
    {"n=2147483647", 2147483647},
    {"n=12&value=1", 12},
    {"x=n&n=7&", 7},
    {"value=0", 1},
    {"value=1", 1},
    {"nn=9", 1},
    {"n=", 0},
    {"n=0", 0},
    {"n=01", 0},
    {"n=+5", 0},
    {"n=-1", 0},
    {"n=1e3", 0},
    {"n=2147483648", 0},
    {"n=18446744073709551617", 0},
    {"n=5&n=5", 0},
    {"n=4&value=2", 0},
    {"value=1&value=1", 0},
    {"n=3&n=x", 0},
};

/* The same in an item of POST /v1/hits. */
static const struct variant members[] = {
    {"", 1},
    {",\"n\":1", 1},
    {",\"n\":2147483647", 2147483647},
    {",\"n\":0", 0},
    {",\"n\":-1", 0},
    {",\"n\":1.0", 1},
    {",\"n\":\"1\"", 0},
    {",\"n\":2147483648", 0},
    {",\"n\":null", 0},
    {",\"n\":1e400", 0},
    {",\"n\":1,\"n\":1", 0},
    {",\"count\":3", 0},
};

static const char *const bad_paths[] = {"blog",       "blog/",     "bl og/k0",   "!ledger/k0", "blog/k%0g",
                                        "blog/k%0a0", "blog/{k0}", "blog/k%7b0", "/k0"};

#define PICK(s, rows) (&(rows)[chance_below(&(s)->chance, sizeof(rows) / sizeof((rows)[0]))])

struct state {
    uint64_t seed;
    struct chance chance;
    struct tally *tally;
    struct api *api;
    uint64_t counted[KEYS];
    uint64_t counted_sum;
    bool known[KEYS];
    uint32_t known_count;
    char text[2048]; /* of the request, for whom it may concern */
    struct buf answer;
};

/* Is there a place for it; a key that is known has one. */
static bool key_take(struct state *s, uint32_t key)
{
    if (!s->known[key] && s->known_count == KEYS_MAX)
        return false;
    s->known_count += !s->known[key];
    s->known[key] = true;
    return true;
}

static void handle(struct state *s, const struct http_request *r)
{
    struct handler handler = api_handler(s->api, 0);
    struct reply reply = {.out = &s->answer, .date = "Sat, 21 Nov 2026 05:00:00 GMT", .now_ms = 1000};

    buf_clear(&s->answer);
    assert_int_equal(handler.handle(handler.ctx, r, &reply), HANDLED);
}

static bool answer_has(const struct state *s, const char *text)
{
    return memmem(s->answer.data, s->answer.bytes, text, strlen(text));
}

static void check(const struct state *s, bool answered_so, const char *what)
{
    if (!answered_so)
        fail_msg("SEED=%llu: %s: %s\n%.*s", (unsigned long long)s->seed, s->text, what, (int)s->answer.bytes,
                 s->answer.data);
}

static void count(struct state *s, uint32_t key, uint64_t n)
{
    s->counted[key] += n;
    s->counted_sum += n;
}

static void try_hit(struct state *s)
{
    static const enum http_method methods[] = {HTTP_GET, HTTP_GET, HTTP_POST, HTTP_HEAD, HTTP_PUT, HTTP_OPTIONS};
    const struct variant *v = PICK(s, queries);
    enum http_method method = *PICK(s, methods);
    uint32_t key = (uint32_t)chance_below(&s->chance, KEYS);
    bool good = chance_below(&s->chance, 4) != 0;
    char path[64];

    if (good)
        snprintf(path, sizeof(path), "/v1/hit/blog/k%u", key);
    else
        snprintf(path, sizeof(path), "/v1/hit/%s", *PICK(s, bad_paths));
    snprintf(s->text, sizeof(s->text), "method %d %s?%s", (int)method, path, v->query ? v->query : "");
    handle(s, &(struct http_request){.method = method,
                                     .minor_version = 1,
                                     .path = {path, strlen(path)},
                                     .query = {v->query, v->query ? strlen(v->query) : 0}});
    bool counts = good && v->n && (method == HTTP_GET || method == HTTP_POST) && key_take(s, key);
    check(s, answer_has(s, "X-Hit-Status: counted") == counts, "is it counted?");
    if (counts)
        count(s, key, v->n);
}

static void try_many(struct state *s)
{
    size_t items = chance_below(&s->chance, 6), accepted = 0;
    int at = snprintf(s->text, sizeof(s->text), "{\"hits\":[");
    char said[32];

    for (size_t i = 0; i < items; i++) {
        const struct variant *v = PICK(s, members);
        uint32_t key = (uint32_t)chance_below(&s->chance, KEYS);
        bool good = chance_below(&s->chance, 4) != 0;
        at += snprintf(s->text + at, sizeof(s->text) - (size_t)at, "%s{\"ns\":\"%s\",\"key\":\"k%u\"%s}", i ? "," : "",
                       good ? "blog" : "!meta", key, v->query);
        if (good && v->n && key_take(s, key)) {
            count(s, key, v->n);
            accepted++;
        }
    }
    at += snprintf(s->text + at, sizeof(s->text) - (size_t)at, "]}");
    handle(s, &(struct http_request){
                  .method = HTTP_POST, .minor_version = 1, .path = SLICE("/v1/hits"), .body = {s->text, (size_t)at}});
    snprintf(said, sizeof(said), "\"accepted\":%zu,\"rejected\":%zu,", accepted, items - accepted);
    check(s, answer_has(s, said), said);
}

static void check_tally(const struct state *s)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        struct tally_value value;
        char name[16];
        size_t bytes = (size_t)snprintf(name, sizeof(name), "blog/k%u", key);
        tally_read(s->tally, (struct slice){name, bytes}, &value);
        check(s, value.pending == s->counted[key], "the cell differs from what was answered");
    }
    check(s, shard_sum(tally_shard(s->tally, 0)) == s->counted_sum, "something is counted that has no name of ours");
    check(s, api_stats(s->api, 0)->hits_accepted == s->counted_sum, "the statistics differ from what was answered");
}

static void run(uint64_t seed)
{
    struct state s = {.seed = seed, .chance = {seed}};
    struct error err;

    assert_int_equal(tally_create(&s.tally, &(struct tally_config){.workers = 1, .keys_max = KEYS_MAX}), 0);
    assert_int_equal(api_create(&s.api, &(struct api_config){.tally = s.tally, .embedded = true}, &err), 0);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        if (chance_one_in(&s.chance, 5))
            try_many(&s);
        else
            try_hit(&s);
        check_tally(&s);
    }
    buf_fini(&s.answer);
    api_destroy(s.api);
    tally_destroy(s.tally);
}

static void test_what_is_answered_as_counted_is_counted_and_nothing_else(void **state)
{
    (void)state;
    const char *only = getenv("SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : SEEDS;

    for (uint64_t seed = first; seed <= last; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_answered_as_counted_is_counted_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
