/* What a store and the givers of AWS keys answer, from any bytes: the first byte says which. The map of a cluster
 * (CLUSTER SLOTS), the answers to a greeting, errors and their words, the answers of STS and of the container's
 * endpoint. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/words.h"
#include "redis/aws_answers.h"
#include "redis/greeting.h"
#include "redis/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Each reply in it, until `take` has had enough. */
static void replies_each(struct slice bytes, bool (*take)(void *ctx, const struct reply *reply), void *ctx)
{
    static const struct resp_limits limits = {.nodes_max = 512, .text_bytes_max = 4096};
    struct resp_reader *reader;
    const struct reply *reply;

    if (resp_create(&reader, &limits) < 0)
        abort();
    if (bytes.bytes && resp_feed(reader, bytes.at, bytes.bytes) == 0) {
        while (resp_next(reader, &reply) == 1 && take(ctx, reply))
            ;
    }
    resp_destroy(reader);
}

/* ---- maps ---- */

static void address_check(const struct node_address *a)
{
    assert(a->port && a->host[0] && memchr(a->host, '\0', sizeof(a->host)) && memchr(a->other, '\0', sizeof(a->other)));
    assert(!strpbrk(a->host, " \"\\\r\n{}=") && !strpbrk(a->other, " \"\\\r\n{}="));
}

static bool map_take(void *ctx, const struct reply *map)
{
    const struct node_address asked = {"asked", 1, ""};
    struct node_address found;
    (void)ctx;

    if (!slots_fits(map))
        return true;
    for (unsigned slot = 0; slot < 16384; slot += 127) {
        if (!slots_find(map, (uint16_t)slot, &asked, &found))
            continue;
        address_check(&found);
        assert(slots_know(map, &asked, &found));
    }
    slots_know(map, &asked, &asked);
    return true;
}

/* ---- greetings ---- */

static bool greeting_reply(void *ctx, const struct reply *reply)
{
    struct greeting *g = ctx;
    enum greeting_result result = greeting_take(g, reply);

    assert(g->steps_done <= g->steps_count);
    assert(g->policy.bytes < sizeof(g->policy_text));
    assert(result != GREETING_REFUSED || (g->reason[0] && g->command && g->error));
    return result == GREETING_GOES_ON;
}

static void greeting_read(struct slice text)
{
    const struct greeting_config config = {.user = "app", .password = "hunter2", .db = 1, .client_name = "tallyd"};
    struct greeting g;
    struct buf out = {0};

    assert(greeting_compose(&g, &config, &out) <= GREETING_STEPS_MAX);
    replies_each(text, greeting_reply, &g);
    buf_fini(&out);
}

/* ---- words ---- */

static void words_read(struct slice text)
{
    char words[WORDS_BYTES];

    enum redis_error_class c = redis_error_classify(text);
    assert(c > REDIS_ERROR_NONE && c < REDIS_ERROR_COUNT && redis_error_name(c));
    words_take(words, text);
    assert(strlen(words) < WORDS_BYTES && !strpbrk(words, "\r\n"));
    /* Whatever stands around it, a secret is seen. */
    struct slice secret = {words, strlen(words)};
    assert(words_reveal(words, secret) == (secret.bytes > 0));
}

/* ---- keys ---- */

static void keys_read(struct slice text, int (*read)(struct aws_keys *, struct slice, struct error *))
{
    struct aws_keys keys;
    struct error err = {0};

    memset(&keys, 'x', sizeof(keys));
    int failed = read(&keys, text, &err);
    assert(failed ? failed == -EINVAL && err.text[0] : keys.expires_s != 0);
    if (failed)
        return;
    assert(memchr(keys.access_key_id, '\0', sizeof(keys.access_key_id)));
    assert(memchr(keys.secret_access_key, '\0', sizeof(keys.secret_access_key)));
    assert(memchr(keys.session_token, '\0', sizeof(keys.session_token)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0)
        return 0;
    struct slice text = {(const char *)data + 1, bytes - 1};
    switch (*data % 5) {
    case 0: replies_each(text, map_take, NULL); break;
    case 1: greeting_read(text); break;
    case 2: words_read(text); break;
    case 3: keys_read(text, aws_answer_sts); break;
    default: keys_read(text, aws_answer_container); break;
    }
    return 0;
}
