/* The flusher, with what it goes by and how it is let into the store. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/clock.h"
#include "config/file_guard.h"
#include "redis/iam.h"

#define UNDO_MS 1000
#define CUT_WAIT_MS 2000 /* for a cluster to say into how many partitions its data set is cut */

static void import_wake(void *ctx, uint32_t worker)
{
    struct app *a = ctx;
    (void)worker;
    sem_post(&a->import_woken);
}

static void worker_wake_at(void *ctx, uint32_t worker)
{
    struct app *a = ctx;
    worker_wake(worker < a->workers_count ? a->workers[worker] : a->admin);
}

/* The flusher asks at each connection, so a file that was rotated is read again. */
static const char *password_now(void *ctx, struct error *err)
{
    struct app *a = ctx;
    const struct options *o = a->options;
    if (*o->redis_password_file == '\0')
        return o->redis_password;
    return secret_read(o->redis_password_file, a->password, err) == 0 ? a->password : NULL;
}

static int iam_begin(struct app *a, struct error *err)
{
    const struct options *o = a->options;
    const char *region = *o->redis_iam_region ? o->redis_iam_region : getenv("AWS_REGION");
    struct iam_config iam = {.user = o->redis.user, .cluster = o->redis_iam_cluster, .region = region};
    int result = iam_create(&a->iam, &iam, err);
    if (result == 0)
        a->redis.credentials = iam_credentials(a->iam);
    return result;
}

/* What cannot be read now is said now; the flusher would only try again and again. */
int credentials_start(struct app *a, struct error *err)
{
    const struct options *o = a->options;
    if (o->redis_auth == OPTION_REDIS_AUTH_IAM)
        return iam_begin(a, err);
    if (*o->redis_password_file == '\0' && *o->redis_password == '\0')
        return 0;
    a->redis.credentials = (struct credentials){.password = password_now, .ctx = a};
    return password_now(a, err) ? 0 : -EACCES;
}

void credentials_stop(struct app *a)
{
    iam_destroy(a->iam);
    secret_wipe(a->password, sizeof(a->password));
}

/* What the state file and the flusher go by. The instance is filled in by whoever finds or draws it. */
int flush_options_start(struct app *a, struct error *err)
{
    const struct options *o = a->options;
    (void)err;
    a->redis = (struct redis_access){
        .url = o->redis,
        .tls = {o->redis_ca, o->redis_cert, o->redis_key, file_guard},
    };
    a->flush = (struct flush_options){
        .redis = *o->redis.host ? &a->redis : NULL,
        .partitions = o->redis_mode == OPTION_REDIS_CLUSTER ? (uint32_t)o->partitions : 0,
        .prefix = o->prefix,
        .instance = a->instance,
        .flush_interval_ms = (uint32_t)(o->flush_interval_us / US_PER_MS),
        .flush_interval_max_ms = (uint32_t)(o->flush_interval_max_us / US_PER_MS),
        .batch_keys_max = BATCH_KEYS_MAX,
        .totals = true,
        .tops = o->top,
        .on_ledger_loss = (enum ledger_loss)o->on_ledger_loss,
        .replay_window_ms = o->replay_window_us / US_PER_MS,
        .key_idle_ms = (o->key_idle_us + US_PER_MS - 1) / US_PER_MS,
    };
    return 0;
}

int flusher_begin(struct app *a, struct error *err)
{
    const struct flusher_config config = {
        .options = &a->flush,
        .wake_worker = *a->options->import ? import_wake : worker_wake_at,
        .wake_ctx = a,
    };
    int result = a->state ? 0 : random_uuid(a->instance);
    if (result != 0)
        return error_set(err, result, "no randomness from the kernel: %s", strerror(-result));
    sem_init(&a->import_woken, 0, 0);
    result = flusher_create(&a->flusher, &config, a->tally, err);
    if (result != 0)
        return result;
    result = flusher_start(a->flusher, err);
    if (result != 0)
        flusher_destroy(a->flusher);
    return result;
}

void flusher_end(struct app *a)
{
    /* A start that failed half way may have counted hits already. */
    if (!a->drained)
        flusher_drain(a->flusher, clock_mono_ms() + UNDO_MS);
    flusher_destroy(a->flusher);
}

/* A store that is down does not hold the start up for long: what differs is then found later, and an alarm. */
int cut_check(struct app *a, struct error *err)
{
    return flusher_await_cut(a->flusher, clock_mono_ms() + CUT_WAIT_MS, err);
}
