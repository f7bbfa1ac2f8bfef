#include "app/app.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "app/signals.h"
#include "base/clock.h"
#include "base/log.h"

#define CHECK_MS 1000
#define TWICE_MS 5

static bool workers_running(const struct app *a)
{
    for (uint32_t i = 0; i < a->workers_count; i++) {
        if (worker_ended(a->workers[i]))
            return false;
    }
    return true;
}

/* Until a signal asks for the end, or a worker has ended unasked: then what was counted must be stored. */
static void wait_for_end(struct app *a)
{
    for (;;) {
        int signal = signals_wait(a->signal_fd, CHECK_MS);
        if (signal == SIGTERM || signal == SIGINT) {
            LOG_INFO("signal", log_str("name", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
            /* timeout(1) and others signal a process and then its group: one wish, told twice. */
            signals_wait(a->signal_fd, TWICE_MS);
            return;
        }
        if (signal == SIGHUP) {
            LOG_INFO("signal", log_str("name", "SIGHUP"),
                     log_str("effect", "connects to Redis anew; the files of secrets and rules are read again"));
            flusher_reconnect(a->flusher);
        }
        policy_tick(a, signal == SIGHUP);
        limits_tick(&a->limits, &a->sources, clock_mono_ms());
        if (!workers_running(a)) {
            LOG_ERROR("worker_ended", log_str("effect", "tallyd stops"));
            return;
        }
    }
}

enum app_exit app_run(const struct options *options)
{
    struct app *a = malloc(sizeof(*a));
    struct error err;
    enum app_exit code = APP_CANNOT_RUN;
    int failed = a ? app_start(a, options, &err) : error_set(&err, -ENOMEM, "no memory");
    if (failed == -EBUSY) {
        LOG_ERROR("state_in_use", log_str("error", err.text));
        code = APP_STATE_IN_USE;
    } else if (failed) {
        LOG_ERROR("cannot_run", log_str("error", err.text));
    } else {
        wait_for_end(a);
        code = app_drain(a);
        app_stop(a);
    }
    free(a);
    return code;
}
