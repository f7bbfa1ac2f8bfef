#include "flush/flusher.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/capabilities.h"
#include "flush/core.h"
#include "nodes/tls_watch.h"
#include "redis/access.h"
#include "redis/transport_tcp.h"
#include "redis/transport_tls.h"
#include "sync/atomic.h"

#define POLL_MS_MAX 1000
#define CUT_LOOK_NS 2000000

struct flusher {
    /* set at creation, then read only */
    struct flusher_config config;
    struct env env;
    struct transport transport; /* of `env` */
    struct tls *tls;            /* owned; NULL: plain */
    uint32_t workers;
    struct mailbox *mailbox; /* owned */
    bool started;
    pthread_t thread;
    sem_t running; /* posted by the thread as its first word */

    /* the flusher's */
    struct core *core; /* owned */

    /* from main to the flusher; the partner of each is flusher_drain_begin() */
    uint32_t drain;     /* wanted; written last */
    uint32_t reconnect; /* main sets, the thread clears */
    uint32_t hurry;     /* likewise */
    uint64_t drain_deadline_ms;

    /* from the flusher to main */
    uint32_t ended;   /* its last word; the partner is flusher_drain_ended() */
    int drain_result; /* read after the join */

    struct books books __attribute__((aligned(64)));
    struct flusher_stats stats __attribute__((aligned(64)));
};

/* ---- the thread ---- */

static void flusher_answered(void *ctx, struct question *question)
{
    struct flusher *f = ctx;

    mailbox_return(f->mailbox, question);
}

/* What does not fit now stays in the worker's queue, in order. How many were taken. */
static uint32_t flusher_take_asks(struct flusher *f)
{
    uint32_t taken = 0;
    struct question *question;

    for (uint32_t i = 0; i < f->workers; i++) {
        for (; core_has_room(f->core) && mailbox_take(f->mailbox, i, &question); taken++)
            core_ask(f->core, question);
    }
    return taken;
}

static int flusher_poll_timeout_ms(const struct flusher *f)
{
    uint64_t now = env_now_us(&f->env), wake = core_wake_us(f->core);
    uint64_t ms = wake > now ? (wake - now + 999) / 1000 : 0;

    return ms > POLL_MS_MAX ? POLL_MS_MAX : (int)ms;
}

static void flusher_wait(struct flusher *f)
{
    struct pollfd fds[1 + STORE_POLLS_MAX];

    fds[0] = (struct pollfd){.fd = mailbox_fd(f->mailbox), .events = POLLIN};
    uint32_t count = 1 + core_poll(f->core, &fds[1]);
    if (poll(fds, count, flusher_poll_timeout_ms(f)) > 0 && fds[0].revents)
        mailbox_woken(f->mailbox);
}

static bool flusher_drained(struct flusher *f)
{
    struct flusher_books books;
    bool late = env_now_us(&f->env) / 1000 >= load_acquire_u64(&f->drain_deadline_ms);

    if (!core_is_idle(f->core)) {
        f->drain_result = -ETIMEDOUT;
        return late;
    }
    books_read(&f->books, &books);
    f->drain_result = books.poisoned ? -EKEYREJECTED : 0;
    return books.poisoned || core_try_part(f->core) || late;
}

/* So that whoever asked gets its memory back. */
static void flusher_fail_questions(struct flusher *f)
{
    do {
        core_fail_questions(f->core);
    } while (flusher_take_asks(f));
}

static void *flusher_run(void *arg)
{
    struct flusher *f = arg;
    bool draining = false;

    pthread_setname_np(pthread_self(), "flusher"); /* by another it would be a file in /proc, which is hidden then */
    capabilities_drop();                           /* none is needed to ask a store */
    sem_post(&f->running);
    for (;;) {
        flusher_take_asks(f);
        /* Acquire: the partner is the release in flusher_drain(), and through it the last counts of workers that
         * main has joined. */
        if (!draining && load_acquire_u32(&f->drain)) {
            draining = true;
            core_drain(f->core);
        }
        bool anew = load_acquire_u32(&f->reconnect); /* partner: flusher_reconnect() */
        if (anew) {
            store_relaxed_u32(&f->reconnect, 0);
            core_reconnect(f->core);
        }
        tls_watch(f->tls, &f->env, anew);
        if (load_acquire_u32(&f->hurry)) { /* partner: flusher_hurry() */
            store_relaxed_u32(&f->hurry, 0);
            core_hurry(f->core);
        }
        core_tick(f->core);
        mailbox_wake_workers(f->mailbox);
        if (draining && flusher_drained(f))
            break;
        flusher_wait(f);
    }
    flusher_fail_questions(f);
    store_release_u32(&f->ended, 1);
    return NULL;
}

/* ---- any thread ---- */

void flusher_books(const struct flusher *f, struct flusher_books *out) { books_read(&f->books, out); }
struct mailbox *flusher_mailbox(const struct flusher *f) { return f->mailbox; }
const struct flusher_stats *flusher_stats(const struct flusher *f) { return &f->stats; }

int flusher_await_cut(const struct flusher *f, uint64_t deadline_ms, struct error *err)
{
    const struct flusher_stats *stats = &f->stats;
    uint32_t cut = CUT_UNKNOWN;

    if (!f->config.options->partitions)
        return 0;
    /* Acquire: the partner is the release in the store; partitions_found is written before. */
    while ((cut = load_acquire_u32(&stats->cut)) == CUT_UNKNOWN && env_now_us(&f->env) / 1000 < deadline_ms)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = CUT_LOOK_NS}, NULL);
    if (cut != CUT_DIFFERS)
        return 0;
    return error_set(err, -EINVAL,
                     "the data set under prefix '%s' is cut into %" PRIu64 " partitions, not %u: start with its "
                     "--partitions, or with another --prefix",
                     f->config.options->prefix, load_relaxed_u64(&stats->partitions_found),
                     f->config.options->partitions);
}

/* ---- life ---- */

static int flusher_create_core(struct flusher *f, struct tally *tally, struct error *err)
{
    const struct core_config config = {
        .options = f->config.options,
        .env = &f->env,
        .tally = tally,
        .books = &f->books,
        .stats = &f->stats,
        .asker = {flusher_answered, f},
        .wake = f->config.wake_worker,
        .wake_ctx = f->config.wake_ctx,
    };
    return core_create(&f->core, &config) ? error_set(err, -ENOMEM, "no memory for the flusher: lower --max-keys") : 0;
}

static int flusher_create_env(struct flusher *f, struct error *err)
{
    const struct redis_access *redis = f->config.options->redis;
    int failed = env_real_init(&f->env, err);

    if (!failed && redis && redis->url.tls)
        failed = tls_create(&f->tls, &redis->tls, err);
    f->transport = f->tls ? transport_tls(f->tls) : transport_tcp();
    f->env.transport = &f->transport;
    return failed;
}

static int flusher_create_mailbox(struct flusher *f, struct error *err)
{
    const struct mailbox_config config = {
        .workers = f->workers,
        .connected = &f->stats.connected,
        .wake_worker = f->config.wake_worker,
        .wake_ctx = f->config.wake_ctx,
    };

    return mailbox_create(&f->mailbox, &config, err);
}

static int flusher_check(const struct flush_options *o, struct error *err)
{
    if (strlen(o->prefix) > KEYSPACE_PREFIX_BYTES_MAX)
        return error_set(err, -EINVAL, "--prefix is longer than %d bytes", KEYSPACE_PREFIX_BYTES_MAX);
    if (o->partitions > PARTITIONS_MAX)
        return error_set(err, -EINVAL, "--partitions is more than %d", PARTITIONS_MAX);
    if (o->partitions && strpbrk(o->prefix, "{}"))
        return error_set(err, -EINVAL, "--prefix must not hold { or } in --redis-mode cluster: they choose hash slots");
    if (o->partitions && o->redis && o->redis->url.db)
        return error_set(err, -EINVAL, "a cluster has database 0 only: take /%u off the Redis URL", o->redis->url.db);
    if (o->flush_interval_ms == 0 || o->batch_keys_max == 0)
        return error_set(err, -EINVAL, "the flush interval and the keys of a batch must not be 0");
    return 0;
}

int flusher_create(struct flusher **out, const struct flusher_config *config, struct tally *tally, struct error *err)
{
    struct flusher *f;
    int failed = flusher_check(config->options, err);

    if (failed)
        return failed;
    f = aligned_alloc(64, sizeof(*f));
    if (!f)
        return error_set(err, -ENOMEM, "no memory for the flusher");
    memset(f, 0, sizeof(*f));
    f->config = *config;
    f->workers = tally_workers(tally) + 1; /* who asks: they, and the admin's */
    sem_init(&f->running, 0, 0);
    books_init(&f->books);
    seqlock_init(&f->stats.node_names.lock);
    if ((failed = flusher_create_mailbox(f, err)) || (failed = flusher_create_env(f, err)) ||
        (failed = flusher_create_core(f, tally, err))) {
        flusher_destroy(f);
        return failed;
    }
    *out = f;
    return 0;
}

int flusher_start(struct flusher *f, struct error *err)
{
    sigset_t all, before;

    /* Signals are main's: the thread inherits a mask that blocks them all. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&f->thread, NULL, flusher_run, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_set(err, -failed, "the flusher's thread cannot be started");
    f->started = true;
    /* Whoever shuts system calls off after this must not hit a thread that libc is still setting up (rseq(2)). */
    while (sem_wait(&f->running) < 0 && errno == EINTR)
        ;
    return 0;
}

void flusher_reconnect(struct flusher *f)
{
    store_release_u32(&f->reconnect, 1); /* partner: flusher_run() */
    mailbox_wake_flusher(f->mailbox);
}

void flusher_hurry(struct flusher *f)
{
    store_release_u32(&f->hurry, 1); /* partner: flusher_run() */
    mailbox_wake_flusher(f->mailbox);
}

void flusher_drain_begin(struct flusher *f, uint64_t deadline_ms)
{
    /* Release: the partners are the acquires in flusher_run() and flusher_drained(); the deadline must be seen with
     * the wish. */
    store_release_u64(&f->drain_deadline_ms, deadline_ms);
    store_release_u32(&f->drain, 1);
    mailbox_wake_flusher(f->mailbox);
}

bool flusher_drain_ended(const struct flusher *f) { return !f->started || load_acquire_u32(&f->ended); }

int flusher_drain(struct flusher *f, uint64_t deadline_ms)
{
    if (!f->started)
        return f->drain_result;
    flusher_drain_begin(f, deadline_ms);
    pthread_join(f->thread, NULL);
    f->started = false;
    return f->drain_result;
}

void flusher_destroy(struct flusher *f)
{
    if (!f)
        return;
    if (f->started)
        flusher_drain(f, 0);
    core_destroy(f->core);
    mailbox_destroy(f->mailbox);
    tls_destroy(f->tls);
    sem_destroy(&f->running);
    free(f);
}
