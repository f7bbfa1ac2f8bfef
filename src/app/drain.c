/* The end: unready -> go on serving for --drain-delay -> workers end -> everything is stored.
 * A second signal, or --drain-timeout, cuts it short. */

#include <errno.h>
#include <signal.h>

#include "admin/balance.h"
#include "app/app.h"
#include "app/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/listener.h"

#define POLL_MS 10

struct drain {
    struct app *app;
    uint64_t deadline_ms;
    const char *cut; /* why it was cut short; NULL: it was not */
};

/* Lets at most `wait_ms` pass; false when the drain has been cut short. */
static bool drain_wait(struct drain *d, uint64_t wait_ms)
{
    uint64_t now_ms = clock_mono_ms();
    uint64_t left_ms = now_ms < d->deadline_ms ? d->deadline_ms - now_ms : 0;
    int signal = signals_wait(d->app->signal_fd, (int)(wait_ms < left_ms ? wait_ms : left_ms));
    if (signal == SIGTERM || signal == SIGINT)
        d->cut = "second signal";
    else if (clock_mono_ms() >= d->deadline_ms)
        d->cut = "--drain-timeout";
    return d->cut == NULL;
}

/* Clients whose first bytes the kernel awaits think that they are connected: they are taken before the listeners end.
 */
static uint64_t defer_end(struct app *a)
{
    if (a->options->defer_accept == OPTION_DEFER_ACCEPT_OFF)
        return 0;
    for (uint32_t i = 0; i < a->workers_count; i++)
        worker_defer_end(a->workers[i]);
    return LISTENER_DEFER_MS;
}

static void drain_delay(struct drain *d, uint64_t delay_ms)
{
    uint64_t end_ms = clock_mono_ms() + delay_ms, now_ms;
    while ((now_ms = clock_mono_ms()) < end_ms && drain_wait(d, end_ms - now_ms))
        continue;
}

static bool workers_ended(struct app *a)
{
    bool all = true;
    for (uint32_t i = 0; i < a->workers_count; i++)
        all = worker_ended(a->workers[i]) && all;
    return all;
}

static void drain_workers(struct drain *d)
{
    struct app *a = d->app;
    for (uint32_t i = 0; i < a->workers_count && !d->cut; i++)
        worker_drain(a->workers[i]);
    flusher_hurry(a->flusher); /* after: who is answered now is told that the connection closes */
    while (!d->cut && !workers_ended(a))
        drain_wait(d, POLL_MS);
    for (uint32_t i = 0; i < a->workers_count; i++)
        worker_stop(a->workers[i]);
}

/* With the deadline moved to now when a second signal comes. */
static void drain_flusher(struct drain *d)
{
    struct flusher *f = d->app->flusher;
    flusher_drain_begin(f, d->deadline_ms);
    while (!d->cut && !flusher_drain_ended(f))
        drain_wait(d, POLL_MS);
    if (flusher_drain(f, d->cut ? 0 : d->deadline_ms) == -ETIMEDOUT && !d->cut)
        d->cut = "--drain-timeout";
}

static enum app_exit drain_report(struct drain *d)
{
    struct balance b;
    balance_read(&d->app->sources, &b);
    uint64_t left = b.pending + b.in_flight + b.poisoned;
    d->app->all_in_redis = left == 0 && *d->app->options->redis.host != '\0';
    if (!d->cut && left == 0) {
        LOG_INFO("drained", log_num("accepted", (int64_t)b.accepted), log_num("stored", (int64_t)b.stored),
                 log_num("lost", (int64_t)b.lost));
        return APP_DRAINED;
    }
    LOG_ERROR("left_behind", log_num("hits", (int64_t)left), log_num("pending", (int64_t)b.pending),
              log_num("in_flight", (int64_t)b.in_flight), log_num("poisoned", (int64_t)b.poisoned),
              log_num("stored", (int64_t)b.stored), log_str("because", d->cut ? d->cut : "the store refuses them"),
              log_str("where", d->app->state ? "in --state-dir: the next process there takes them over"
                                             : "in memory only: they end with this process"));
    return APP_LEFT_BEHIND;
}

enum app_exit app_drain(struct app *a)
{
    uint64_t now_ms = clock_mono_ms();
    struct drain d = {.app = a, .deadline_ms = now_ms + a->options->drain_timeout_us / US_PER_MS};
    uint64_t delay_ms = a->options->drain_delay_us / US_PER_MS, least_ms = defer_end(a);
    if (delay_ms < least_ms)
        delay_ms = least_ms;
    life_set(&a->sources, LIFE_DRAINING);
    LOG_INFO("draining", log_num("delay_ms", (int64_t)delay_ms),
             log_num("timeout_ms", (int64_t)(d.deadline_ms - now_ms)));
    drain_delay(&d, delay_ms);
    drain_workers(&d);
    a->drained = true;
    drain_flusher(&d);
    return drain_report(&d);
}
