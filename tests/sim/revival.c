/* Processes with a state file: killed between any two events or at any step of the journal, and started again on what
 * the file held then. */
#include <assert.h>

#include "sim/sim.h"

#define CHUNK_BYTES 4096

static struct memory_disk *process_disk(struct process *p) { return &p->disks[p->disk]; }

/* What the next process will find. From now on this one only seems to live: nothing that it does leaves it. */
static void process_freeze(struct process *p)
{
    if (p->frozen)
        return;
    if (process_disk(p)->commits) {
        memory_disk_crash(process_disk(p), &p->disks[!p->disk]);
    } else { /* still starting: the old file is as it was */
        struct memory_disk *old = process_disk(p), *next = &p->disks[!p->disk];
        memory_disk_init(next);
        next->old_bytes = old->old_bytes;
        next->old = old->old ? memcpy(malloc(old->old_bytes), old->old, old->old_bytes) : NULL;
    }
    p->frozen = true;
    p->sim->net.muted = p->life;
}

void process_step(void *ctx, enum env_step step)
{
    struct process *p = ctx;

    if (!p->frozen && p->sim->rates.dies_in_steps && !p->sim->healing &&
        p->sim->lives_count + SIM_PROCESSES_MAX <= SIM_LIVES_MAX &&
        chance_one_in(&p->sim->chance, p->sim->rates.dies_in_steps)) {
        sim_note(p->sim, "process %u dies at step %d of its journal", p->life, (int)step);
        process_freeze(p);
    }
}

void process_recover(struct process *p, char instance[UUID_TEXT_BYTES])
{
    struct recovery r;
    struct error err;
    const struct recovery_config config = {
        .env = &p->env,
        .disk = &process_disk(p)->disk,
        .boot_id = "boot",
        .prefix = "t:",
        .partitions = p->sim->rates.partitions,
        .workers = p->workers,
        .keys_max = SIM_TALLY_KEYS_MAX,
        .batch_keys_max = p->sim->rates.batch_keys_max,
        .chunk_bytes = CHUNK_BYTES,
    };

    if (!process_disk(p)->disk.ctx)
        memory_disk_init(process_disk(p));
    int failed = recovery_run(&r, &config, &err);
    assert(!failed);
    if (r.damaged || r.lost_hits)
        sim_fail(p->sim, "process %u finds its state damaged, %" PRIu64 " hits given up", p->life, r.lost_hits);
    p->tally = r.tally;
    p->state = r.state;
    snprintf(instance, UUID_TEXT_BYTES, "%s", r.instance);
}

void process_die(struct process *p)
{
    if (p->state)
        process_freeze(p);
}

void process_bury(struct process *p)
{
    if (!p->state)
        return;
    state_file_close(p->state, false);
    p->state = NULL;
    memory_disk_fini(process_disk(p));
    p->disks[p->disk] = (struct memory_disk){0};
    p->disk = !p->disk;
    p->frozen = false;
    p->sim->net.muted = NET_NOBODY;
}
