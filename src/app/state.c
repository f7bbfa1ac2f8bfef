/* The tally, and the state file that it lies in: first what the process before left there, then ours. */

#include <errno.h>
#include <string.h>

#include "app/app.h"
#include "base/log.h"
#include "recovery/recovery.h"
#include "sync/barrier.h"

static int tally_start_in_memory(struct app *a, struct error *err)
{
    struct tally_config config = {.workers = a->workers_count, .keys_max = (uint32_t)a->options->max_keys};
    int failed = tally_create(&a->tally, &config);
    return failed ? error_set(err, failed, "cannot reserve memory for --max-keys %u: %s", config.keys_max,
                              strerror(-failed))
                  : 0;
}

static void recovery_report(const struct recovery *r)
{
    if (!r->found)
        return;
    LOG_INFO("state_recovered", log_num("names", (int64_t)r->import.names), log_num("hits", (int64_t)r->import.hits),
             log_num("open_batches", r->open));
    if (r->renamed)
        LOG_WARN("state_new_identity", log_num("partitions", r->renamed));
    if (r->damaged)
        LOG_ERROR(r->copied ? "state_copied" : "state_damaged", log_str("why", r->damage.text),
                  log_num("damaged_cells", (int64_t)r->import.damaged),
                  log_num("names_given_up", (int64_t)r->import.condemned), log_num("hits_lost", (int64_t)r->lost_hits),
                  log_str("kept_as", r->aside));
    else if (r->lost_hits)
        LOG_ERROR("state_batch_lost", log_num("hits_lost", (int64_t)r->lost_hits),
                  log_str("why", "--prefix, --partitions or the mode changed while a batch was open"));
}

static int tally_start_in_file(struct app *a, struct error *err)
{
    struct env env;
    struct recovery r;
    char boot_id[STATE_BOOT_ID_BYTES];
    int failed = env_real_init(&env, err);
    if (failed)
        return failed;
    state_boot_id(boot_id, sizeof(boot_id));
    const struct recovery_config config = {
        .options = &a->flush,
        .env = &env,
        .disk = state_dir_disk(a->state_dir),
        .boot_id = boot_id,
        .workers = a->workers_count,
        .keys_max = (uint32_t)a->options->max_keys,
        .chunk_bytes = STATE_CHUNK_BYTES,
    };
    failed = recovery_run(&r, &config, err);
    if (failed)
        return failed;
    recovery_report(&r);
    memcpy(a->instance, r.instance, sizeof(a->instance));
    a->tally = r.tally;
    a->flush.state = a->state = r.state;
    a->recovered_hits = r.import.hits;
    a->state_lost_hits = r.lost_hits;
    a->state_copied = r.copied;
    return 0;
}

int tally_start(struct app *a, struct error *err)
{
    int failed = barrier_init();
    if (failed)
        LOG_INFO("membarrier_refused", log_err(failed), log_str("effect", "a hit may be stored one flush later"));
    if (*a->options->state_dir == '\0')
        return tally_start_in_memory(a, err);
    failed = state_dir_open(&a->state_dir, a->options->state_dir, err);
    if (!failed && (failed = tally_start_in_file(a, err))) {
        state_dir_close(a->state_dir);
        a->state_dir = NULL;
    }
    return failed;
}

void tally_stop(struct app *a)
{
    tally_destroy(a->tally);
    int failed = state_file_close(a->state, true);
    if (failed)
        LOG_ERROR("state_not_synced", log_str("state_dir", a->options->state_dir), log_err(failed),
                  log_str("error", strerror(-failed)),
                  log_str("effect", "the next process takes it over, but not after a reboot or a power loss"),
                  log_str("at_risk",
                          a->all_in_redis ? "nothing: every hit is in Redis" : "the hits that are in this file only"));
    state_dir_close(a->state_dir);
}
