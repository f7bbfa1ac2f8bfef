#include "app/engine_choice.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "machine/descriptors.h"

#define CONNS_AUTO 8192 /* a worker, where --max-conns is auto and the limit of open files allows it */

void workers_count(struct app *a)
{
    cpus_find("", &a->cpus);
    a->workers_count = a->options->workers ? (uint32_t)a->options->workers : a->cpus.usable;
}

int engine_choose(struct app *a, struct error *err)
{
    a->engine = a->options->io == OPTION_IO_EPOLL ? ENGINE_EPOLL : ENGINE_URING;
    if (a->engine == ENGINE_EPOLL)
        return 0;
    int result = engine_probe_uring(err);
    if (result == 0 || a->options->io == OPTION_IO_URING)
        return result;
    a->engine = ENGINE_EPOLL;
    a->engine_refused = result;
    a->engine_why = *err;
    return 0;
}

static uint32_t conns_wanted(const struct options *o) { return o->max_conns ? (uint32_t)o->max_conns : CONNS_AUTO; }

/* A limit that the administrator asked for is kept or refused. The default gives way. */
int descriptors_fit(struct app *a, struct error *err)
{
    int64_t limit = descriptors_raise();
    uint32_t wanted = conns_wanted(a->options);
    if (limit < 0)
        return error_set(err, (int)limit, "cannot read RLIMIT_NOFILE: %s", strerror((int)-limit));
    a->conns_max = descriptors_share((uint64_t)limit, a->workers_count, wanted,
                                     !engine_takes_descriptors(a->engine, options_want_peers(a->options)));
    if (a->conns_max == 0 || (a->options->max_conns && a->conns_max < wanted))
        return error_set(err, -EMFILE,
                         "too few file descriptors: the limit is %lld, which leaves room for %u connections a worker; "
                         "raise it (ulimit -n, LimitNOFILE=) or lower --max-conns %u",
                         (long long)limit, a->conns_max, wanted);
    return 0;
}

int descriptors_start(struct app *a, struct error *err)
{
    int result = descriptors_fit(a, err);
    if (result == 0 && a->conns_max < conns_wanted(a->options))
        LOG_WARN("max_conns_lowered", log_num("max_conns", a->conns_max), log_num("wanted", conns_wanted(a->options)),
                 log_num("descriptors", descriptors_raise()), log_str("remedy", "raise ulimit -n"));
    return result;
}

int engine_give_way(struct app *a, int result, struct error *err)
{
    if (a->engine == ENGINE_EPOLL)
        return result;
    if (a->engine_refused == 0) { /* the first reason counts: what follows happens to a process that is short already */
        a->engine_refused = result;
        a->engine_why = *err;
    }
    if (result == -ENOMEM && !a->small_rings) {
        a->small_rings = true;
        return 0;
    }
    if (a->options->io == OPTION_IO_URING)
        return result;
    a->engine = ENGINE_EPOLL;
    return descriptors_start(a, err);
}

void engine_settled(const struct app *a)
{
    if (a->engine_refused == 0)
        return;
    if (a->engine == ENGINE_EPOLL)
        LOG_WARN("io_fallback", log_str("engine", "epoll"), log_err(a->engine_refused),
                 log_str("why", a->engine_why.text));
    else
        LOG_WARN("io_small_rings", log_str("engine", "uring"), log_err(a->engine_refused),
                 log_str("effect", "completion queues are shorter: bursts cost more system calls"),
                 log_str("why", a->engine_why.text));
}
