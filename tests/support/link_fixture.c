#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/link_fixture.h"

static void on_ready(void *ctx) { ((struct fixture *)ctx)->readies++; }

static void on_down(void *ctx) { ((struct fixture *)ctx)->downs++; }

static void on_refused(void *ctx, const struct redis_refusal *c)
{
    ((struct fixture *)ctx)->refused++;
    ((struct fixture *)ctx)->error = c->class;
    snprintf(((struct fixture *)ctx)->command, 32, "%s", c->command);
    snprintf(((struct fixture *)ctx)->words, 256, "%s", c->words);
}

static void on_evicts(void *ctx, struct slice policy)
{
    struct fixture *f = ctx;

    snprintf(f->policy, sizeof(f->policy), "%.*s", (int)policy.bytes, policy.at);
}

void on_reply(void *ctx, const struct reply *reply, uint32_t index)
{
    struct fixture *f = ctx;
    (void)reply;

    f->replies++;
    f->last_index = index;
}

uint64_t no_chance(void *ctx)
{
    (void)ctx;
    return 0;
}

static const char *fixed_password(void *ctx, struct error *err)
{
    (void)err;
    return ctx;
}

struct credentials fixed_credentials(const char *password)
{
    return (struct credentials){.password = password ? fixed_password : NULL, .ctx = (void *)(uintptr_t)password};
}

void link_fixture_init_with(struct fixture *f, const struct transport_ops *ops, struct credentials credentials)
{
    *f = (struct fixture){.now_ms = 1000};
    fake_init(&f->redis);
    const struct link_config config = {
        .transport = {ops, &f->redis},
        .random = no_chance,
        .host = "redis",
        .port = 6379,
        .user = "",
        .credentials = credentials,
        .client_name = "tallyd",
        .connect_timeout_ms = 3000,
        .reply_timeout_ms = 5000,
        .reply_timeout_max_ms = 30000,
        .backoff_min_ms = 100,
        .backoff_max_ms = 5000,
        .limits = {.nodes_max = 64, .text_bytes_max = 4096},
    };
    const struct link_user user = {f, on_ready, on_down, on_refused, on_evicts};
    assert_int_equal(link_create(&f->link, &config, &user), 0);
}

void link_fixture_init(struct fixture *f, const char *password)
{
    link_fixture_init_with(f, &fake_ops, fixed_credentials(password));
}

void link_fixture_fini(struct fixture *f)
{
    link_destroy(f->link);
    fake_fini(&f->redis);
}

void run_ms(struct fixture *f, uint64_t ms)
{
    for (uint64_t until = f->now_ms + ms; f->now_ms < until; f->now_ms += 10)
        link_tick(f->link, f->now_ms);
}

void ask(struct fixture *f, const char *command, uint32_t count)
{
    struct buf out = {0};

    for (uint32_t i = 0; i < count; i++)
        command_append(&out, 2, (struct slice[]){{command, strlen(command)}, SLICE("k")});
    link_expect(f->link, count, on_reply, f);
    link_send(f->link, buf_slice(&out));
    buf_fini(&out);
}

void say(struct fixture *f, const char *bytes)
{
    buf_append(&f->redis.conns[f->redis.conns_count - 1]->out, bytes, strlen(bytes));
}
