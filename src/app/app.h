#pragma once
/* The process. Everything that runs is started and stopped in one order (start.c), and has an end (drain.c).
 *
 * Thread: main. */

#include <semaphore.h>

#include "admin/limits.h"
#include "admin/sources.h"
#include "api/ranking.h"
#include "app/policy_files.h"
#include "base/random.h"
#include "config/options.h"
#include "config/secret.h"
#include "ledger/flush_options.h"
#include "machine/cpus.h"
#include "net/worker.h"
#include "redis/access.h"
#include "request/newcomer.h"
#include "tally/state_dir.h"

/* Exit codes (DESIGN 7, sysexits(3)). */
enum app_exit { APP_DRAINED = 0, APP_LEFT_BEHIND = 1, APP_BAD_USAGE = 64, APP_STATE_IN_USE = 75, APP_CANNOT_RUN = 78 };

#ifndef BATCH_KEYS_MAX      /* make faults CPPFLAGS=-DBATCH_KEYS_MAX=5 makes many batches a flush, of few keys */
#define BATCH_KEYS_MAX 2000 /* keys in a transaction */
#endif

struct app {
    const struct options *options;
    struct cpus cpus;
    uint32_t workers_count, conns_max;
    struct budget buffers; /* what clients may make the workers keep */
    enum engine_kind engine;
    bool small_rings;        /* io_uring has shorter completion queues, because memory was short */
    int engine_refused;      /* -errno of the first refusal of a better engine, or 0 */
    struct error engine_why; /* its sentence */
    int signal_fd;
    bool drained;                             /* app_drain() has run */
    bool all_in_redis;                        /* it left nothing behind, and there is a Redis */
    uint64_t recovered_hits, state_lost_hits; /* of the state file that was found */
    bool state_copied;                        /* it is a copy of one that is in use */
    struct flush_options flush;               /* and `redis`, which it points to */
    struct redis_access redis;
    char instance[UUID_TEXT_BYTES];
    char password[SECRET_BYTES_MAX + 1];
    /* All owned. */
    struct state_dir *state_dir; /* NULL without --state-dir, and then state is NULL, too */
    struct state_file *state;
    struct tally *tally;
    struct flusher *flusher;
    struct iam *iam; /* NULL when Redis takes a password */
    struct api *api;
    struct policy *policy, *policy_before; /* or NULL. The one before is kept while a worker may look at it */
    struct policy_watch policy_watch[POLICY_PARTS];
    bool policy_asked;       /* by SIGHUP, and not done yet */
    char (*names)[24];       /* of the workers' threads */
    struct worker **workers; /* workers_count of them. Those that are not there yet are NULL */
    struct worker *admin;
    struct namespaces namespaces; /* those of --namespaces */
    struct namespaces tops;       /* those of --top */
    struct limits_watch limits;
    struct process_figures process;
    struct ranking ranking; /* the admin's thread */
    sem_t import_woken;     /* of an import, posted when a write was answered */
    struct sources sources; /* read by the admin's thread */
};

/* Runs until a signal and the drain behind it. Returns what main() returns. */
enum app_exit app_run(const struct options *options);

/* ---- start.c ---- */
/* Returns 0, or -errno with a sentence. What had been started is stopped again then. With --import or --repartition it
 * starts only what it takes to write to the store. */
int app_start(struct app *a, const struct options *options, struct error *err);
void app_stop(struct app *a);

/* ---- steps of the start, in state.c ---- */
/* Makes the tally, in memory or in the state file, with what the process before left there. Returns -EBUSY when another
 * process has the file. */
int tally_start(struct app *a, struct error *err);
void tally_stop(struct app *a);

/* ---- steps of the start, in flush.c ---- */
/* Fills what the state file and the flusher go by, but the instance and the state file. */
int flush_options_start(struct app *a, struct error *err);
int credentials_start(struct app *a, struct error *err);
void credentials_stop(struct app *a);
int flusher_begin(struct app *a, struct error *err);
void flusher_end(struct app *a);
/* Waits a moment until a cluster has said how it is cut. A store that is down does not hold the start up for long. */
int cut_check(struct app *a, struct error *err);

/* ---- steps of the start, in listeners.c ---- */
int listeners_start(struct app *a, struct error *err);
void listeners_stop(struct app *a);
int workers_start(struct app *a, struct error *err);
void workers_stop(struct app *a);

/* ---- drain.c ---- */
/* Unready, go on for --drain-delay, let the workers end, store everything. */
enum app_exit app_drain(struct app *a);
