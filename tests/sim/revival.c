/* Processes with a state file: killed between any two events or at any step of the journal, and started again on what
 * the file held then. */
#include <assert.h>

#include "sim/sim.h"

#define CHUNK_BYTES 4096
#define DIES_IN_MOVES_ONE_IN 8

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
        next->twin = old->twin;
        next->old = old->old ? memcpy(malloc(old->old_bytes), old->old, old->old_bytes) : NULL;
    }
    p->frozen = true;
    p->frozen_said = process_said(p);
    p->sim->net.muted = p->life;
}

void process_step(void *ctx, enum env_step step)
{
    struct process *p = ctx;

    if (!p->frozen && p->sim->rates.dies_in_steps && !p->sim->healing &&
        p->sim->lives_count + SIM_PROCESSES_MAX <= SIM_LIVES_MAX &&
        chance_one_in(&p->sim->chance, step == ENV_STEP_MOVED ? DIES_IN_MOVES_ONE_IN : p->sim->rates.dies_in_steps)) {
        sim_note(p->sim, "process %u dies at step %d of its journal", p->life, (int)step);
        p->sim->met.killed_in_moves += step == ENV_STEP_MOVED;
        process_freeze(p);
    }
}

void process_recover(struct process *p)
{
    struct recovery r;
    struct error err;
    const struct recovery_config config = {
        .options = &p->options,
        .env = &p->env,
        .disk = &process_disk(p)->disk,
        .boot_id = "boot",
        .workers = p->workers,
        .keys_max = SIM_TALLY_KEYS_MAX,
        .chunk_bytes = CHUNK_BYTES,
    };

    if (!process_disk(p)->disk.ctx)
        memory_disk_init(process_disk(p));
    int failed = recovery_run(&r, &config, &err);
    assert(!failed);
    if (!process_disk(p)->twin && (r.damaged || r.lost_hits))
        sim_fail(p->sim, "process %u finds its state damaged, %" PRIu64 " hits given up", p->life, r.lost_hits);
    p->tally = r.tally;
    p->options.state = p->state = r.state;
    snprintf(p->instance, UUID_TEXT_BYTES, "%s", r.instance);
}

void process_start_on_copy(struct process *p, const struct process *of)
{
    struct sim *s = p->sim;

    if (p->alive || p->restart_us != NET_NEVER || !of->alive || of->frozen || s->lives_count == SIM_LIVES_MAX)
        return;
    memory_disk_crash(&of->disks[of->disk], process_disk(p));
    process_disk(p)->twin = true;
    s->met.live_copies++;
    p->life = s->lives_count++;
    memset(&s->lives[p->life], 0, sizeof(s->lives[0]));
    sim_note(s, "the state of process %u is copied", of->life);
    process_start(p);
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
