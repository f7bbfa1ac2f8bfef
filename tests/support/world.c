#include "support/world.h"

uint64_t world_now_us(void *ctx) { return ((struct world *)ctx)->now_us; }

uint64_t world_random(void *ctx) /* xorshift64* */
{
    uint64_t *x = &((struct world *)ctx)->seed;

    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * 2685821657736338717ULL;
}

static void world_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields)
{
    struct world *w = ctx;
    (void)level;

    size_t at = 0;

    w->last_numbers[0] = '\0';
    for (const struct log_field *f = fields; f->name; f++) {
        w->leaked |= f->text && strstr(f->text, "hunter");
        if (!f->text && at < sizeof(w->last_numbers))
            at += (size_t)snprintf(w->last_numbers + at, sizeof(w->last_numbers) - at, " %s=%lld", f->name,
                                   (long long)f->number);
    }
    snprintf(w->last_event, sizeof(w->last_event), "%s", event);
    w->events++;
}

static void world_answered(void *ctx, struct question *question)
{
    struct world *w = ctx;

    assert(w->answered_count < 16);
    w->answered[w->answered_count++] = question;
}

const char *world_password(void *ctx, struct error *err)
{
    (void)err;
    return ctx;
}

struct credentials world_credentials(const char *password)
{
    return (struct credentials){.password = password ? world_password : NULL, .ctx = (void *)(uintptr_t)password};
}

static void world_configure(struct world *w, const struct world_options *o)
{
    w->access = (struct redis_access){
        .url = {.host = "redis", .port = o->port ? o->port : 6379},
        .credentials = world_credentials(o->password),
    };
    w->options = (struct flush_options){
        .redis = o->embedded ? NULL : &w->access,
        .partitions = o->partitions,
        .prefix = "t:",
        .instance = "00000000-0000-4000-8000-000000000001",
        .flush_interval_ms = 100,
        .batch_keys_max = o->batch_keys_max ? o->batch_keys_max : 2000,
        .on_ledger_loss = o->on_ledger_loss,
        .replay_window_ms = o->replay_window_ms,
    };
}

int world_create_core(struct world *w)
{
    return core_create(&w->core, &(struct core_config){
                                     .options = &w->options,
                                     .env = &w->env,
                                     .tally = w->tally,
                                     .books = &w->books,
                                     .stats = &w->stats,
                                     .asker = {world_answered, w},
                                 });
}

void world_init_with(struct world *w, const struct world_options *o)
{
    *w = (struct world){.seed = o->seed ? o->seed : 1, .now_us = 1000000};
    fake_init(&w->redis);
    w->transport = o->transport.ops ? o->transport : (struct transport){&fake_ops, &w->redis};
    books_init(&w->books);
    w->env = (struct env){
        .ctx = w,
        .now_us = world_now_us,
        .random = world_random,
        .log = world_log,
        .transport = &w->transport,
    };
    int failed = tally_create(
        &w->tally, &(struct tally_config){.workers = o->workers ? o->workers : 2, .keys_max = WORLD_KEYS_MAX});
    assert(!failed);
    world_configure(w, o);
    failed = world_create_core(w);
    assert(!failed);
}

void world_init(struct world *w) { world_init_with(w, &(struct world_options){0}); }

void world_fini(struct world *w)
{
    core_fail_questions(w->core);
    core_destroy(w->core);
    tally_destroy(w->tally);
    fake_fini(&w->redis);
}

void world_hit(struct world *w, uint32_t worker, const char *name, uint64_t n)
{
    enum tally_result result = tally_hit(w->tally, worker, (struct slice){name, strlen(name)}, n);

    assert(result == TALLY_COUNTED);
    w->accepted += n;
}

struct flusher_books world_books(const struct world *w)
{
    struct flusher_books books;

    books_read(&w->books, &books);
    return books;
}

static bool world_has_news(const struct world *w)
{
    bool news = fake_has_news(&w->redis);

    for (int i = 0; !news && i < w->others_count; i++)
        news = fake_has_news(&w->others[i]);
    return news;
}

void world_step(struct world *w)
{
    core_tick(w->core);
    uint64_t wake = core_wake_us(w->core), next = w->now_us + 100;
    /* With nothing to hear, time jumps to when the core wants to be called, but by no more than 50 ms. */
    if (!world_has_news(w) && wake > next)
        next = wake < w->now_us + 50000 ? wake : w->now_us + 50000;
    w->now_us = next;
}

void world_run_ms(struct world *w, uint64_t ms)
{
    for (uint64_t until = w->now_us + ms * 1000; w->now_us < until;)
        world_step(w);
}

bool world_settle(struct world *w)
{
    for (uint64_t until = w->now_us + 60000000; w->now_us < until; world_step(w)) {
        struct flusher_books b = world_books(w);
        if (b.in_flight == 0 && b.stored + b.poisoned + b.lost == w->accepted)
            return true;
    }
    return false;
}

struct tally_value world_read(const struct world *w, const char *name)
{
    struct tally_value value;

    tally_read(w->tally, (struct slice){name, strlen(name)}, &value);
    return value;
}

struct question *world_ask_kind(struct world *w, enum question_kind kind, const char *name, int64_t value,
                                uint64_t timeout_ms)
{
    struct question *question = calloc(1, sizeof(*question) + sizeof(question->results[0]));

    question->kind = kind;
    question->count = 1;
    question->results[0].stored = value;
    question->deadline_ms = w->now_us / 1000 + timeout_ms;
    question->results[0].name_bytes = (uint16_t)strlen(name);
    memcpy(question->results[0].name, name, strlen(name));
    core_ask(w->core, question);
    return question;
}

struct question *world_ask(struct world *w, const char *name, uint64_t timeout_ms)
{
    return world_ask_kind(w, ASK_READ, name, 0, timeout_ms);
}
