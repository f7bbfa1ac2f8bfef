#include "sim/sim.h"

#include <errno.h>

#define CLUSTER_ONE_IN 3

enum fault {
    FAULT_CUT,
    FAULT_KILL,
    FAULT_ROLL_BACK,
    FAULT_FLUSHALL,
    FAULT_MOOD,
    FAULT_DENY_COMMAND,
    FAULT_DENY_KEY,
    FAULT_STALL,
    FAULT_REFUSE_CONNECTS,
    FAULT_CRASH,
    FAULT_POISON,
    FAULT_TOUCH_LEDGER,
    FAULT_OUTSIDER_ADDS,
    FAULT_PASSWORD,
    FAULT_RECONNECT,
    FAULT_RELIEF, /* what goes on is over */
    FAULT_COPY_STATE,
    FAULT_LEAD,
    FAULT_SYNC,
    FAULTS_SINGLE,
    FAULT_MIGRATE = FAULTS_SINGLE,
    FAULT_TAKEOVER,
    FAULT_NODE_DIES,
    FAULT_CONFUSE,
    FAULTS,
};

/* One seed in how many has this kind at all, and then with what weight. */
static const struct {
    uint32_t one_in, weight_max;
} table[FAULTS] = {
    [FAULT_CUT] = {1, 40},          [FAULT_KILL] = {3, 6},      [FAULT_ROLL_BACK] = {6, 6},
    [FAULT_FLUSHALL] = {16, 2},     [FAULT_MOOD] = {3, 8},      [FAULT_DENY_COMMAND] = {6, 6},
    [FAULT_DENY_KEY] = {4, 8},      [FAULT_STALL] = {3, 8},     [FAULT_REFUSE_CONNECTS] = {4, 4},
    [FAULT_CRASH] = {6, 4},         [FAULT_POISON] = {6, 4},    [FAULT_TOUCH_LEDGER] = {6, 6},
    [FAULT_OUTSIDER_ADDS] = {6, 6}, [FAULT_PASSWORD] = {10, 4}, [FAULT_RECONNECT] = {10, 4},
    [FAULT_RELIEF] = {1, 30},       [FAULT_MIGRATE] = {2, 20},  [FAULT_TAKEOVER] = {2, 12},
    [FAULT_NODE_DIES] = {3, 8},     [FAULT_CONFUSE] = {2, 8},   [FAULT_COPY_STATE] = {1, 8},
    [FAULT_LEAD] = {1, 16},         [FAULT_SYNC] = {1, 8},
};

/* ---- connections ---- */

static void fault_cut(struct sim *s)
{
    struct stream *stream = net_any(&s->net, s->processes[chance_below(&s->chance, s->rates.processes)].life);
    enum net_ending ending = (enum net_ending)(NET_RESET + chance_below(&s->chance, 3));
    bool zombie = chance_below(&s->chance, 3) != 0;

    if (!stream)
        return;
    if (chance_one_in(&s->chance, 2))
        net_cut_up(stream, chance_below(&s->chance, chance_octaves(&s->chance, 1, 2000)), ending, zombie);
    else
        net_cut_down(stream, chance_below(&s->chance, chance_octaves(&s->chance, 1, 500)), ending, zombie);
}

static void fault_refuse_connects(struct sim *s)
{
    if (chance_one_in(&s->chance, 2))
        s->net.refusing = ECONNREFUSED;
    else
        s->net.lost = true;
}

/* ---- the server ---- */

static uint32_t any_node(struct sim *s)
{
    uint32_t nodes = s->cluster.nodes_count ? s->cluster.nodes_count : s->rates.copies;

    return (uint32_t)chance_below(&s->chance, nodes);
}

/* A server of its own, or a node of which no replica takes the place. */
static void fault_roll_back(struct sim *s)
{
    struct model *m = &s->models[s->cluster.leads];

    if (s->cluster.nodes_count) {
        cluster_kill(&s->cluster, true);
        return;
    }
    uint64_t steps = chance_octaves(&s->chance, 1, 16);
    net_kill(&s->net, &s->net.nodes[s->cluster.leads]);
    sim_note(s, "the server restarts without its last %u writes", (unsigned)model_roll_back(m, steps));
    s->cluster.forgot = 1;
    m->mood = chance_one_in(&s->chance, 4) ? MODEL_LOADING : MODEL_FINE;
}

static void fault_flushall(struct sim *s)
{
    if (s->cluster.nodes_count) {
        cluster_empty(&s->cluster);
        return;
    }
    model_flushall(&s->models[s->cluster.leads]);
    s->cluster.forgot = s->cluster.emptied = 1;
}

/* Copies have lists of their own. */
static void nodes_deny(struct sim *s, const char *command, struct slice key)
{
    bool one = s->rates.copies > 1 && (command || key.bytes) && chance_one_in(&s->chance, 2);
    uint32_t only = any_node(s);

    for (uint32_t i = 0; i < NET_NODES_MAX; i++) {
        if (one && i != only)
            continue;
        s->models[i].denied_command = command;
        s->models[i].denied_key = key;
    }
}

static void fault_deny_command(struct sim *s)
{
    /* Not SET alone: an ACL that takes the ledger away between queueing and EXEC tears every transaction
     * (tests/sim/README.md). */
    static const char *const commands[] = {"multi", "watch",    "get",  "exec",   "incrby",
                                           "incr",  "getrange", "info", "discard"};

    const char *command = commands[chance_below(&s->chance, sizeof(commands) / sizeof(commands[0]))];

    nodes_deny(s, command, s->models[0].denied_key);
    sim_note(s, "the ACL takes %s away", command);
}

static void fault_deny_key(struct sim *s)
{
    uint32_t key = (uint32_t)chance_below(&s->chance, s->rates.keys);

    nodes_deny(s, s->models[0].denied_command, world_redis_key(s, key));
    sim_note(s, "the ACL takes %s away", s->names[key]);
}

static void all_nodes_take_password(struct sim *s, const char *password)
{
    for (struct model *m = s->models; m < s->models + NET_NODES_MAX; m++)
        m->password = password;
}

static uint32_t password_number(const struct sim *s) { return (uint32_t)(s->models[0].password[6] - '0'); }

static void fault_password(struct sim *s)
{
    static const char *const passwords[] = {"hunter0", "hunter1"};

    if (!s->rates.password)
        return;
    if (chance_one_in(&s->chance, 2))
        s->secret++; /* the processes hear of it before the server does */
    else
        all_nodes_take_password(s, passwords[(password_number(s) + 1) % 2]);
}

/* ---- keys ---- */

/* What is in flight may be in the key already, unheard, and is gone with it. */
static void note_destroyed(struct sim *s, uint32_t key)
{
    for (const struct process *p = s->processes; p < s->processes + s->rates.processes; p++) {
        struct life *l = process_life(p);
        bool knows = p->alive && s->rates.copies == 1; /* else perhaps not yet */
        uint64_t hits = knows ? process_books(p).in_flight : l->applied[key];
        l->destroyed[key] += hits;
        l->destroyed_sum += hits;
    }
}

static void fault_poison(struct sim *s)
{
    uint32_t k = (uint32_t)chance_below(&s->chance, s->rates.keys);
    struct slice key = world_redis_key(s, k);

    note_destroyed(s, k);
    world_outsider(s, k, 2, (struct slice[]){SLICE("DEL"), key});
    switch (chance_below(&s->chance, 3)) {
    case 0: world_outsider(s, k, 3, (struct slice[]){SLICE("LPUSH"), key, SLICE("x")}); break;
    case 1: world_outsider(s, k, 3, (struct slice[]){SLICE("SET"), key, SLICE("12 apples")}); break;
    case 2: world_outsider(s, k, 3, (struct slice[]){SLICE("SET"), key, SLICE("9223372036854775805")}); break;
    }
    sim_note(s, "%s is poisoned", s->names[k]);
}

/* Written again with the same value. */
static void fault_touch_ledger(struct sim *s)
{
    struct model *m = &s->models[any_node(s)];

    for (struct model_key *k = m->keys; k < m->keys + m->keys_max; k++) {
        if (k->value.type == MODEL_STRING && memmem(k->name, k->name_bytes, "!ledger:", 8) &&
            chance_one_in(&s->chance, 2))
            k->version++;
    }
}

static void fault_outsider_adds(struct sim *s)
{
    uint32_t k = (uint32_t)chance_below(&s->chance, s->rates.keys);

    s->touched = true;
    world_outsider(s, k, 3, (struct slice[]){SLICE("INCRBY"), world_redis_key(s, k), SLICE("7")});
}

static void fault_relief(struct sim *s)
{
    s->net.refusing = 0;
    s->net.lost = false;
    for (struct model *m = s->models; m < s->models + NET_NODES_MAX; m++)
        m->mood = MODEL_FINE;
    nodes_deny(s, NULL, (struct slice){0});
    if (s->rates.password)
        s->secret = password_number(s);
}

/* ---- all ---- */

static void fault_happen(struct sim *s, enum fault fault)
{
    struct process *p = &s->processes[chance_below(&s->chance, s->rates.processes)];

    switch (fault) {
    case FAULT_CUT: fault_cut(s); break;
    case FAULT_KILL: net_kill(&s->net, &s->net.nodes[any_node(s)]); break;
    case FAULT_ROLL_BACK: fault_roll_back(s); break;
    case FAULT_FLUSHALL: fault_flushall(s); break;
    case FAULT_MOOD: s->models[any_node(s)].mood = (enum model_mood)chance_below(&s->chance, MODEL_MOODS); break;
    case FAULT_DENY_COMMAND: fault_deny_command(s); break;
    case FAULT_DENY_KEY: fault_deny_key(s); break;
    case FAULT_STALL:
        s->net.nodes[any_node(s)].stalled_until_us = s->now_us + chance_octaves(&s->chance, 1000, 16000000);
        break;
    case FAULT_REFUSE_CONNECTS: fault_refuse_connects(s); break;
    case FAULT_CRASH: process_crash(p); break;
    case FAULT_POISON: fault_poison(s); break;
    case FAULT_TOUCH_LEDGER: fault_touch_ledger(s); break;
    case FAULT_OUTSIDER_ADDS: fault_outsider_adds(s); break;
    case FAULT_PASSWORD: fault_password(s); break;
    case FAULT_RECONNECT:
        if (p->alive)
            core_reconnect(p->core);
        break;
    case FAULT_RELIEF: fault_relief(s); break;
    case FAULT_COPY_STATE: process_start_on_copy(&s->processes[1], &s->processes[0]); break;
    case FAULT_LEAD: copies_lead(s); break;
    case FAULT_SYNC: copies_sync(s); break;
    case FAULT_MIGRATE: cluster_migrate(&s->cluster); break;
    case FAULT_TAKEOVER:
        cluster_take_over(&s->cluster, (enum cluster_takeover)chance_below(&s->chance, TAKEOVERS));
        break;
    case FAULT_NODE_DIES: cluster_kill(&s->cluster, false); break;
    case FAULT_CONFUSE: cluster_confuse(&s->cluster); break;
    case FAULTS: break;
    }
}

void faults_one(struct sim *s)
{
    static const char *const names[FAULTS] = {
        "cut",           "kill",     "roll back",       "flushall",  "mood",       "deny command",
        "deny key",      "stall",    "refuse connects", "crash",     "poison",     "touch ledger",
        "outsider adds", "password", "reconnect",       "relief",    "copy state", "lead",
        "sync",          "migrate",  "takeover",        "node dies", "confuse"};
    uint64_t pick = chance_below(&s->chance, s->rates.faults_sum);
    uint32_t fault = 0;

    while (pick >= s->rates.faults[fault])
        pick -= s->rates.faults[fault++];
    sim_note(s, "fault: %s", names[fault]);
    fault_happen(s, (enum fault)fault);
}

void faults_heal(struct sim *s)
{
    sim_note(s, "all is healed");
    net_heal(&s->net);
    cluster_heal(&s->cluster);
    copies_heal(s);
    fault_relief(s);
    if (s->rates.live_copy)
        process_start_on_copy(&s->processes[1], &s->processes[0]);
    for (uint32_t k = 0; k < s->rates.keys; k++) {
        int64_t value;
        struct slice key = world_redis_key(s, k);
        if (!model_integer(world_model(s, k), key, &value) || value > INT64_MAX / 2)
            world_outsider(s, k, 2, (struct slice[]){SLICE("DEL"), key});
    }
}

/* ---- what a seed is like ---- */

static bool can_befall(const struct rates *r, enum fault f)
{
    if (f == FAULT_LEAD || f == FAULT_SYNC)
        return r->copies > 1;
    return f != FAULT_COPY_STATE || r->live_copy;
}

static void rates_draw_faults(struct sim *s, struct rates *r)
{
    r->faults_sum = 0;
    for (uint32_t f = 0; f < (r->partitions ? FAULTS : FAULTS_SINGLE); f++) {
        bool has = chance_one_in(&s->chance, table[f].one_in) && can_befall(r, (enum fault)f);
        r->faults[f] = has ? 1 + (uint32_t)chance_below(&s->chance, table[f].weight_max) : 0;
        r->faults_sum += r->faults[f];
    }
    r->poison = r->faults[FAULT_POISON];
    r->password = r->faults[FAULT_PASSWORD];
}

static void rates_draw_network(struct sim *s)
{
    struct net *n = &s->net;

    n->latency_us = chance_octaves(&s->chance, 10, 400000);
    n->slow_one_in = chance_one_in(&s->chance, 2) ? (uint32_t)chance_octaves(&s->chance, 4, 64) : 0;
    n->zombie_us = chance_octaves(&s->chance, 1000, 16000000);
    n->piece_max = chance_one_in(&s->chance, 3) ? chance_octaves(&s->chance, 16, 1024) : 0;
    n->window = chance_one_in(&s->chance, 8) ? chance_octaves(&s->chance, 64, 1024) : NET_WINDOW;
}

static void rates_calm(struct sim *s, struct rates *r)
{
    memset(r->faults, 0, sizeof(r->faults));
    r->faults[FAULT_CRASH] = r->faults_sum = 1;
    r->poison = r->password = false;
    net_heal(&s->net);
}

/* How many servers and processes, and what these have in common. */
static void rates_draw_who(struct sim *s, struct rates *r)
{
    r->calm = !r->partitions && chance_one_in(&s->chance, 20);
    r->copies = !r->partitions && !r->calm && chance_one_in(&s->chance, 3)
                    ? 2 + (uint32_t)chance_below(&s->chance, SIM_COPIES_MAX - 1)
                    : 1;
    r->processes = chance_one_in(&s->chance, 6) ? 2 : 1;
    r->twins = r->processes == 2 && r->copies == 1 && chance_one_in(&s->chance, 2);
    r->clones = r->twins && chance_one_in(&s->chance, 2);
    r->state = !r->twins && chance_one_in(&s->chance, 4);
    r->live_copy = r->state && r->processes == 2;
    r->writes = r->processes == 1 && chance_one_in(&s->chance, 4);
}

void faults_draw(struct sim *s)
{
    struct rates *r = &s->rates;

    *r = (struct rates){0};
    if (s->seed % CLUSTER_ONE_IN == 0)
        r->partitions = 1 + (uint32_t)chance_below(&s->chance, CLUSTER_PARTITIONS_MAX);
    rates_draw_who(s, r);
    rates_draw_faults(s, r);
    rates_draw_network(s);
    if (r->calm)
        rates_calm(s, r);
    r->refuses = r->poison || r->faults[FAULT_DENY_KEY] || r->faults[FAULT_DENY_COMMAND];
    r->keys = 1 + (uint32_t)chance_below(&s->chance, SIM_KEYS_MAX);
    r->steps = (uint32_t)chance_octaves(&s->chance, 50, 400) * (r->partitions ? 2 : 1); /* more connections */
    /* A poisoned key is tried again after a minute: not too many flushes until then. */
    r->flush_interval_ms = (uint32_t)chance_octaves(
        &s->chance, r->poison || r->faults[FAULT_DENY_KEY] || r->faults[FAULT_DENY_COMMAND] ? 250 : 20, 1000);
    r->batch_keys_max = r->calm ? SIM_KEYS_MAX : (uint32_t)chance_octaves(&s->chance, 1, 32);
    r->hits_max = (uint32_t)chance_octaves(&s->chance, 1, 1000);
    r->hit_gap_us = r->flush_interval_ms * 1000 / chance_octaves(&s->chance, 1, 16);
    r->fault_gap_us =
        r->calm ? 10 * r->flush_interval_ms * 1000ULL
                : chance_octaves(&s->chance, r->flush_interval_ms * 1000 / 8, r->flush_interval_ms * 1000 * 4);
    r->dies_in_steps = r->state && chance_one_in(&s->chance, 2) ? (uint32_t)chance_octaves(&s->chance, 8, 128) : 0;
    r->replay_window_ms = chance_one_in(&s->chance, 2) ? 60000 : 0;
    r->on_ledger_loss = s->seed / CLUSTER_ONE_IN % 2 ? LEDGER_LOSS_REPLAY : LEDGER_LOSS_RESUME;
    r->reads = chance_one_in(&s->chance, 3);
    forgetting_draw(s);
    rests_draw(s);
    farewell_draw(s);
    tops_draw(s);
}
