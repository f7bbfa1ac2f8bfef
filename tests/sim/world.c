#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim/sim.h"

#define IDLE_TICKS_MAX 1000
#define FIRST_RESTART_US 1000

/* ---- names ---- */

struct slice world_redis_key(const struct sim *s, uint32_t key)
{
    return (struct slice){s->names[key], strlen(s->names[key])};
}

/* However the data set is cut, it ends in "n:" and two digits. */
uint32_t world_key_of(struct slice redis_key)
{
    const char *end = redis_key.at + redis_key.bytes;

    if (redis_key.bytes < 6 || memcmp(end - 4, "n:", 2) != 0)
        return SIM_KEYS_MAX;
    return (uint32_t)((end[-2] - '0') * 10 + end[-1] - '0');
}

struct model *world_model(struct sim *s, uint32_t key)
{
    return cluster_model(&s->cluster, s->units[key], world_redis_key(s, key));
}

bool world_forgot(const struct sim *s, uint32_t key) { return s->cluster.forgot >> s->units[key] & 1; }

static void world_name_keys(struct sim *s)
{
    char name[8];

    keyspace_init(&s->space, "t:", s->rates.partitions);
    for (uint32_t k = 0; k < s->rates.keys; k++) {
        size_t bytes = (size_t)snprintf(name, sizeof(name), "n/%02u", k);
        s->units[k] = (uint8_t)keyspace_partition(&s->space, (struct slice){name, bytes});
        struct slice prefix = keyspace_prefix(&s->space, s->units[k]);
        snprintf(s->names[k], sizeof(s->names[k]), "%.*sn:%02u", (int)prefix.bytes, prefix.at, k);
    }
}

/* ---- what a process sees of the world ---- */

static uint64_t world_now_us(void *ctx) { return ((struct process *)ctx)->sim->now_us; }
/* The kernel's; what two clones have in common is what they drew before they were two. */
static uint64_t world_random(void *ctx)
{
    struct process *p = ctx;

    return chance_draw(p->newborn && p->sim->rates.clones ? &p->memory : &p->sim->chance);
}

static const char *world_password(void *ctx, struct error *err)
{
    static const char *const passwords[] = {"hunter0", "hunter1"};
    const struct process *p = ctx;
    (void)err;

    return passwords[p->sim->secret % 2];
}

void world_heard(void *ctx, uint32_t owner)
{
    struct sim *s = ctx;

    for (struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        /* The flusher's thread does not always run at once. */
        uint64_t soon = s->now_us + chance_below(&s->chance, chance_one_in(&s->chance, 50) ? 300000 : 60);
        if (p->alive && p->life == owner && p->tick_us > soon)
            p->tick_us = soon;
    }
}

/* ---- life of a process ---- */

struct life *process_life(const struct process *p) { return &p->sim->lives[p->life]; }

static void process_identity(struct process *p, char out[UUID_TEXT_BYTES])
{
    if (p->sim->rates.twins && p->life < SIM_PROCESSES_MAX)
        snprintf(out, UUID_TEXT_BYTES, "00000000-0000-4000-8000-000000000001");
    else
        env_uuid(&p->env, out);
}

static void life_begin(const struct sim *s, struct life *life, bool again)
{
    life->dead = false;
    life->reborn = again;
    if (again) { /* it does not remember what was refused */
        memset(life->refusals, 0, sizeof(life->refusals));
        memset(life->after_moves, 0, sizeof(life->after_moves));
        memset(life->moves_seen, 0, sizeof(life->moves_seen));
        life->born_us = s->now_us;
        return;
    }
    memset(life, 0, offsetof(struct life, marks));
    life->marks_count = 0;
    life->born_us = s->now_us;
}

static void process_configure(struct process *p)
{
    const struct rates *rates = &p->sim->rates;

    p->redis.url = (struct redis_url){.host = "redis", .port = 6379};
    p->redis.credentials = (struct credentials){.password = rates->password ? world_password : NULL, .ctx = p};
    p->options = (struct flush_options){
        .redis = &p->redis,
        .partitions = rates->partitions,
        .prefix = "t:",
        .instance = p->instance,
        .flush_interval_ms = rates->flush_interval_ms,
        .flush_interval_max_ms = rates->flush_interval_max_ms,
        .batch_keys_max = rates->batch_keys_max,
        .totals = true,
        .tops = rates->tops ? "n" : NULL,
        .tops_kept = SIM_TOPS_KEPT,
        .on_ledger_loss = rates->on_ledger_loss,
        .replay_window_ms = rates->replay_window_ms,
        .key_idle_ms = rates->key_idle_ms,
    };
}

static void process_open_tally(struct process *p)
{
    if (p->sim->rates.state) {
        process_recover(p);
        return;
    }
    int failed = tally_create(&p->tally, &(struct tally_config){.workers = p->workers, .keys_max = SIM_TALLY_KEYS_MAX});
    assert(!failed);
    process_identity(p, p->instance);
}

void process_start(struct process *p)
{
    struct sim *s = p->sim;
    bool reborn = s->rates.state && p->disks[p->disk].old;

    if (!reborn)
        p->life = s->lives_count++;

    s->met.heirs += reborn;
    p->newborn = true;
    p->parting = p->parted = false;
    p->logged = 0;
    p->memory.state = s->seed;
    s->met.clones += s->rates.clones;
    p->workers = 1 + (uint32_t)chance_below(&s->chance, SIM_WORKERS_MAX);
    life_begin(s, &s->lives[p->life], reborn);
    p->stats = (struct flusher_stats){0};
    p->env = (struct env){
        .ctx = p,
        .now_us = world_now_us,
        .random = world_random,
        .log = process_log,
        .transport = &p->transport,
        .step = process_step,
    };
    books_init(&p->books);
    process_configure(p);
    process_open_tally(p);
    p->door = (struct net_door){&s->net, p->life};
    p->transport = net_transport(&p->door);
    int failed = core_create(&p->core, &(struct core_config){
                                           .options = &p->options,
                                           .env = &p->env,
                                           .tally = p->tally,
                                           .books = &p->books,
                                           .stats = &p->stats,
                                           .asker = {process_answered, p},
                                           .wake = process_wake,
                                           .wake_ctx = p,
                                       });
    assert(!failed);
    p->newborn = false;
    p->alive = true;
    p->tick_us = s->now_us;
    process_asks_nothing(p);
    tally_open_desks(p->tally, false);
    p->reads = 0;
    memset(p->told, 0, sizeof(p->told));
    sim_note(s, "process %u starts as %s, %u workers", p->life, p->instance, p->workers);
}

uint64_t process_said(const struct process *p)
{
    uint64_t booked = process_books(p).lost + p->stats.unproved_hits;

    return booked > p->logged ? booked : p->logged;
}

static void process_stop(struct process *p)
{
    struct sim_met *met = &p->sim->met;
    const struct flusher_stats *stats = &p->stats;

    met->batches += stats->batches;
    met->retried += stats->batches_retried;
    met->unseen += stats->batches_reconciled_applied;
    met->rollbacks += stats->alarms_rollback;
    met->missing += stats->alarms_ledger_missing;
    met->renamed += stats->alarms_identity_taken;
    met->reconnects += stats->link_errors;
    met->forgotten += stats->keys_forgotten;
    process_life(p)->said += p->frozen ? p->frozen_said : process_said(p);
    p->alive = false;
    core_fail_questions(p->core);
    core_destroy(p->core);
    tally_destroy(p->tally);
    process_bury(p);
}

void process_crash(struct process *p)
{
    struct sim *s = p->sim;

    if (!p->alive || s->lives_count + SIM_PROCESSES_MAX > SIM_LIVES_MAX) /* each needs another life */
        return;
    sim_note(s, "process %u is killed", p->life);
    s->crashed = true;
    s->met.crashes++;
    oracle_check_crash(s, p);
    process_die(p);
    process_life(p)->dead = true;
    process_stop(p);
    p->restart_us = s->now_us + FIRST_RESTART_US + chance_below(&s->chance, 3000000);
}

/* At the end the others are still looked at, and so is this one. */
static void process_leave(struct process *p)
{
    struct sim *s = p->sim;

    p->tick_us = NET_NEVER;
    if (s->ending) /* they are looked at once more */
        return;
    process_life(p)->dead = true;
    process_stop(p);
    p->restart_us = s->now_us + FIRST_RESTART_US + chance_below(&s->farewells, 3000000);
}

void process_tick(struct process *p)
{
    struct sim *s = p->sim;

    core_tick(p->core);
    if (p->frozen) {
        process_crash(p);
        return;
    }
    if (farewell_said(p)) {
        process_leave(p);
        return;
    }
    uint64_t wake = core_wake_us(p->core);
    p->idle_ticks = wake <= s->now_us ? p->idle_ticks + 1 : 0;
    if (p->idle_ticks > IDLE_TICKS_MAX)
        sim_fail(s, "process %u asks to be called at once, again and again", p->life);
    p->tick_us = wake > s->now_us ? wake : s->now_us + 1;
}

void process_hit(struct process *p, uint32_t key, uint64_t hits)
{
    struct life *life = process_life(p);
    char name[16];
    size_t bytes = (size_t)snprintf(name, sizeof(name), "n/%02u", key);
    enum tally_result result =
        tally_hit(p->tally, (uint32_t)chance_below(&p->sim->chance, p->workers), (struct slice){name, bytes}, hits);
    assert(result == TALLY_COUNTED);
    life->accepted[key] += hits;
    life->accepted_sum += hits;
    if (life->marks_count < SIM_MARKS_MAX)
        life->marks[life->marks_count++] = (struct mark){p->sim->now_us, life->accepted_sum};
}

struct flusher_books process_books(const struct process *p)
{
    struct flusher_books books;

    books_read(&p->books, &books);
    return books;
}

struct tally_value process_look(const struct process *p, uint32_t key)
{
    struct tally_value value;
    char name[16];
    size_t bytes = (size_t)snprintf(name, sizeof(name), "n/%02u", key);

    tally_read(p->tally, (struct slice){name, bytes}, &value);
    return value;
}

bool process_is_drained(const struct process *p)
{
    struct flusher_books b = process_books(p);

    if (p->alive && !tops_are_offered(p))
        return false;

    if (!p->alive && p->restart_us == NET_NEVER) /* it never was */
        return true;
    if (p->alive && process_life(p)->reborn)
        return core_is_idle(p->core) && b.in_flight == 0 && b.poisoned == 0 &&
               p->sim->now_us > p->sim->healed_us + sim_flush_ms(p->sim) * 2500ULL;
    return p->alive && b.in_flight == 0 && b.poisoned == 0 && b.stored + b.lost == process_life(p)->accepted_sum &&
           core_is_idle(p->core);
}

/* ---- the rest of the world ---- */

void world_outsider(struct sim *s, uint32_t key, uint32_t count, const struct slice args[])
{
    struct model *m = world_model(s, key);
    struct model_cluster cluster = m->cluster;
    struct buf command = {0};

    buf_printf(&command, "*%u\r\n", count);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&command, "$%zu\r\n", args[i].bytes);
        buf_append_slice(&command, args[i]);
        buf_append(&command, "\r\n", 2);
    }
    buf_clear(&s->outsider_answers);
    s->outsider.authed = true;
    m->cluster = (struct model_cluster){0}; /* it found its way */
    model_feed(m, &s->outsider, buf_slice(&command), &s->outsider_answers);
    m->cluster = cluster;
    buf_fini(&command);
}

static void world_begin_servers(struct sim *s)
{
    for (uint32_t i = 0; i < NET_NODES_MAX; i++) {
        struct model *m = &s->models[i];
        s->net.nodes[i] = (struct net_node){.model = m};
        if (i >= s->rates.copies && !s->rates.partitions)
            continue;
        model_init(m, MODEL_KEYS_FEW);
        m->lineage = (uint64_t)(m - s->models + 1) << 32;
        s->views[i] = (struct oracle_view){s, s->rates.partitions ? 0 : i};
        m->watcher = oracle_watcher(&s->views[i]);
        m->password = s->rates.password ? "hunter0" : NULL;
    }
    cluster_begin(&s->cluster, &s->net, s->rates.partitions ? &s->space : NULL);
}

static uint32_t world_resolve(void *ctx, const char *host)
{
    const struct sim *s = ctx;

    return cluster_resolve(&s->cluster, host);
}

void world_begin(struct sim *s)
{
    net_reset(&s->net);
    s->net.user = (struct net_user){s, world_resolve, world_heard, oracle_told, s->trace ? sim_note : NULL};
    s->net.chance = &s->chance;
    s->net.now_us = &s->now_us;
    faults_draw(s);
    memory_set_fenced(!chance_one_in(&s->chance, 5));
    world_name_keys(s);
    world_begin_servers(s);
    s->outsider.tag = SIM_LIVES_MAX;
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        s->processes[i] = (struct process){.sim = s, .restart_us = NET_NEVER};
        if (i < s->rates.processes && !(i && s->rates.live_copy))
            process_start(&s->processes[i]);
    }
}

void world_end(struct sim *s)
{
    s->met.moves = s->cluster.moves;
    s->met.takeovers = s->cluster.takeovers;
    for (struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        if (p->alive)
            process_stop(p);
        memory_disk_fini(&p->disks[p->disk]);
    }
}
