#include "app/repartition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/app.h"
#include "moving/calls.h"
#include "moving/data_set.h"

#define LOOK_AGAIN_MS 1000 /* and two flush intervals */

struct repartition {
    struct app app;
    struct moving moving;
    const struct options *options;
};

static int failed_with(int failed, const struct error *err)
{
    bool later = failed == -ETIMEDOUT;
    fprintf(stderr, "tallyd: %s%s\n", err->text, later ? "; the same command goes on later" : "");
    return later || failed == -EIO || failed == -EBUSY ? APP_LEFT_BEHIND : APP_CANNOT_RUN;
}

static bool is_clean(const struct moving_counts *c) { return c->moved == 0 && c->refused == 0 && c->less == 0; }

static void report(const struct repartition *r)
{
    const struct moving_counts *c = &r->moving.counts;
    printf("moved %" PRIu64 " hits to '%s' (%u partitions): of %" PRIu64 " counters with %" PRIu64
           " hits %s is left%s\n",
           r->moving.moved_hits, r->moving.to.prefix, r->moving.to.partitions, c->counters, c->hits,
           is_clean(c) ? "nothing" : "something",
           is_clean(c) && c->ledgers ? "; the old data set has ledgers, of processes that run or were killed" : "");
    if (c->moved)
        fprintf(stderr,
                "tallyd: %" PRIu64 " hits came while it ran: run it again when the last process with --prefix %s has "
                "ended\n",
                c->moved_hits, r->moving.from.prefix);
    if (c->refused)
        fprintf(stderr, "tallyd: %" PRIu64 " keys cannot be moved, as they or the new ones hold no integer\n",
                c->refused);
    if (c->less)
        fprintf(stderr,
                "tallyd: %" PRIu64 " keys hold less than was moved, after a seed, a reset or a loss: set them in the "
                "new data set, and delete them in the old one\n",
                c->less);
    if (c->refused || c->less)
        fprintf(stderr, "tallyd: the first of them: %s\n", c->first);
}

static int finish(struct repartition *r, struct error *err)
{
    bool removes = r->options->repartition_finish == OPTION_REPARTITION_FINISH_REMOVE;
    int failed = moving_finish(&r->moving, removes, err);
    if (failed)
        return failed_with(failed, err);
    printf("finished: '%s' is whole, and the old counters are %s\n", r->moving.to.prefix, removes ? "removed" : "kept");
    return APP_DRAINED;
}

static int move(struct repartition *r, struct error *err)
{
    int failed = moving_pass(&r->moving, false, err);
    if (!failed)
        failed = moving_pass(&r->moving, true, err);
    if (failed)
        return failed_with(failed, err);
    report(r);
    return is_clean(&r->moving.counts) ? APP_DRAINED : APP_LEFT_BEHIND;
}

/* A process that runs stores something sooner or later. One that was killed has left its ledgers, too. */
static void await_flushes(const struct options *o)
{
    /* It is never the shorter one (config/options_agree.h). */
    uint64_t longest_us = o->flush_interval_max_us ? o->flush_interval_max_us : o->flush_interval_us;
    uint64_t ms = 2 * longest_us / US_PER_MS + LOOK_AGAIN_MS;
    fprintf(stderr, "tallyd: the old data set has ledgers; looking again in %" PRIu64 " ms\n", ms);
    clock_nanosleep(CLOCK_MONOTONIC, 0,
                    &(struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* Whether the flushes came before its last pass or after it is chance. So what came at all counts. */
static int look_again(struct repartition *r, struct error *err)
{
    uint64_t moved_before = r->moving.moved_hits;
    await_flushes(r->options);
    int code = move(r, err);
    uint64_t came = r->moving.moved_hits - moved_before;
    if (code != APP_DRAINED || came == 0)
        return code;
    fprintf(stderr,
            "tallyd: %" PRIu64
            " hits came while it waited: finish it when the last process with --prefix %s has ended\n",
            came, r->moving.from.prefix);
    return APP_LEFT_BEHIND;
}

static int run(struct repartition *r, struct error *err)
{
    enum moving_begun begun;
    bool finishes = r->options->repartition_finish != OPTION_REPARTITION_FINISH_NO;
    int failed = moving_begin(&r->moving, &begun, err);
    if (failed)
        return failed_with(failed, err);
    if (begun == MOVING_FINISHED && !finishes) {
        error_set(err, -EEXIST, "the move to '%s' was finished: nothing is moved any more", r->moving.to.prefix);
        return failed_with(-EEXIST, err);
    }
    int code = begun == MOVING_FINISHED ? APP_DRAINED : move(r, err);
    if (code == APP_DRAINED && finishes && r->moving.counts.ledgers)
        code = look_again(r, err);
    return code == APP_DRAINED && finishes ? finish(r, err) : code;
}

static int run_connected(struct repartition *r, struct error *err)
{
    const struct options *o = r->options;
    struct calls *calls;
    int failed = calls_create(&calls, &r->app.flush, err);
    if (failed)
        return failed_with(failed, err);
    moving_init(&r->moving, calls, o->prefix, o->repartition_to, r->app.flush.partitions,
                r->app.flush.partitions ? (uint32_t)o->repartition : 0);
    int code = run(r, err);
    moving_fini(&r->moving);
    calls_destroy(calls);
    return code;
}

int repartition_run(const struct options *options)
{
    struct options mine = *options; /* the state directory is the daemon's */
    struct repartition *r = calloc(1, sizeof(*r));
    struct error err;
    if (!r)
        return APP_CANNOT_RUN;
    mine.state_dir = "";
    r->options = options;
    int failed = app_start(&r->app, &mine, &err);
    int code = failed ? failed_with(-EINVAL, &err) : run_connected(r, &err);
    if (!failed)
        app_stop(&r->app);
    free(r);
    return code;
}
