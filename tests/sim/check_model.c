/* The simulated Redis beside a real one: the same random commands over a few connections of each, and the same answers
 * byte for byte; of an error the first word, as texts change between versions (how many differ further on is said).
 *
 *   check_model SOCKET ROUNDS SEED [OTHER ID]     SOCKET: a redis-server of its own, unix socket, empty, nobody else's
 *
 * OTHER, ID: the address of another node, and how the cluster calls it: they are a cluster, as check-model makes it:
 * slot of {a} is SOCKET's, of {b} OTHER's, {c} is on its way from SOCKET to OTHER, {d} is nobody's.
 *
 * Refusals of the server as a whole are provoked: OOM, NOREPLICAS, READONLY, MASTERDOWN, BUSY, ACLs, passwords.
 * LOADING and MISCONF are not: their texts come from the server's source.
 * Exit: 0, 1 they differ, 64 usage. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/crc16.h"
#include "support/chance.h"
#include "support/model.h"

#define CLIENTS 3
#define COMMANDS_A_ROUND 60
#define KEYS 6
#define PASSWORD "pepper"

struct peer {
    int fd;
    struct buf in;
};

struct check {
    const char *path, *other, *other_id; /* other NULL: no cluster */
    struct chance chance;
    struct model model;
    struct model_client clients[CLIENTS];
    struct peer peers[CLIENTS], boss, loop;
    bool looping;
    uint64_t commands, texts_differ;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- cluster ---- */

static const char *const names[2][KEYS] = {{"k0", "k1", "k2", "k3", "k4", "k5"},
                                           {"{a}0", "{b}1", "{c}2", "{c}3", "{c}4", "{d}5"}};

static const char *name_of(const struct check *c, uint64_t key) { return names[c->other != NULL][key]; }

static struct model_slot cluster_slot(void *ctx, uint16_t slot)
{
    const struct check *c = ctx;

    if (slot == key_slot(SLICE("{d}")))
        return (struct model_slot){0};
    return (struct model_slot){
        .owner = c->other,
        .mine = slot != key_slot(SLICE("{b}")),
        .migrating = slot == key_slot(SLICE("{c}")) ? c->other : NULL,
    };
}

/* ---- the real one ---- */

static void peer_open(struct peer *p, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = 5};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(path);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    buf_clear(&p->in);
}

static void peer_send(const struct peer *p, struct slice bytes)
{
    if (send(p->fd, bytes.at, bytes.bytes, MSG_NOSIGNAL) != (ssize_t)bytes.bytes)
        die("send");
}

/* Where the reply at `at` ends; 0: it is not all there. */
static size_t reply_end(const struct buf *b, size_t at)
{
    const char *line = b->data + at, *end = at < b->bytes ? memchr(line, '\n', b->bytes - at) : NULL;

    if (!end)
        return 0;
    size_t next = (size_t)(end + 1 - b->data);
    long n = *line == '$' || *line == '*' ? strtol(line + 1, NULL, 10) : -1;
    if (n < 0)
        return next;
    if (*line == '$')
        return next + (size_t)n + 2 <= b->bytes ? next + (size_t)n + 2 : 0;
    for (; n > 0 && next; n--)
        next = reply_end(b, next);
    return next;
}

static size_t peer_await(struct peer *p)
{
    size_t end;

    while ((end = reply_end(&p->in, 0)) == 0) {
        char *room = buf_reserve(&p->in, 4096);
        ssize_t n = recv(p->fd, room, 4096, 0);
        if (n <= 0)
            die("no answer from redis-server");
        buf_grew(&p->in, (size_t)n);
    }
    return end;
}

static void append_command(struct buf *out, uint32_t count, const char *const args[])
{
    buf_printf(out, "*%u\r\n", count);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(out, "$%zu\r\n%s\r\n", strlen(args[i]), args[i]);
}

static void boss_says(struct check *c, uint32_t count, const char *const args[])
{
    struct buf out = {0};

    append_command(&out, count, args);
    peer_send(&c->boss, buf_slice(&out));
    size_t end = peer_await(&c->boss);
    if (c->boss.in.data[0] == '-') {
        fprintf(stderr, "check_model: %s: %.*s\n", args[0], (int)end, c->boss.in.data);
        exit(1);
    }
    buf_consume(&c->boss.in, end);
    buf_fini(&out);
}

#define BOSS(c, ...)                                                                                                   \
    boss_says((c), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

/* ---- moods ---- */

static void loop_begin(struct check *c)
{
    struct buf out = {0};

    append_command(&out, 3, (const char *const[]){"EVAL", "while true do end", "0"});
    peer_send(&c->loop, buf_slice(&out));
    buf_fini(&out);
    usleep(20000);
    c->looping = true;
}

static void loop_end(struct check *c)
{
    if (!c->looping)
        return;
    BOSS(c, "SCRIPT", "KILL");
    buf_consume(&c->loop.in, peer_await(&c->loop));
    c->looping = false;
}

static void mood_change(struct check *c, enum model_mood mood)
{
    if (mood == MODEL_LOADING || mood == MODEL_MISCONF ||
        (c->other && (mood == MODEL_READONLY || mood == MODEL_MASTERDOWN)))
        mood = MODEL_FINE;
    loop_end(c);
    BOSS(c, "CONFIG", "SET", "maxmemory", mood == MODEL_OOM ? "1" : "0");
    BOSS(c, "CONFIG", "SET", "min-replicas-to-write", mood == MODEL_NOREPLICAS ? "1" : "0");
    BOSS(c, "CONFIG", "SET", "replica-serve-stale-data", mood == MODEL_MASTERDOWN ? "no" : "yes");
    if (mood == MODEL_READONLY || mood == MODEL_MASTERDOWN)
        BOSS(c, "REPLICAOF", "127.0.0.1", "1");
    else if (!c->other)
        BOSS(c, "REPLICAOF", "NO", "ONE");
    if (mood == MODEL_BUSY)
        loop_begin(c);
    c->model.mood = mood;
}

static void acl_change(struct check *c)
{
    static const char *const commands[] = {"multi", "exec", "watch", "incrby", "incr", "get", "discard", "getrange"};
    const char *command = commands[chance_below(&c->chance, sizeof(commands) / sizeof(commands[0]))];
    char denied[16];

    loop_end(c);
    c->model.mood = c->model.mood == MODEL_BUSY ? MODEL_FINE : c->model.mood;
    BOSS(c, "ACL", "SETUSER", "default", "allkeys", "+@all");
    c->model.denied_command = NULL;
    c->model.denied_key = (struct slice){0};
    switch (chance_below(&c->chance, 3)) {
    case 0:
        snprintf(denied, sizeof(denied), "-%s", command);
        BOSS(c, "ACL", "SETUSER", "default", denied);
        c->model.denied_command = command;
        break;
    case 1:
        BOSS(c, "ACL", "SETUSER", "default", "resetkeys", "~*0", "~*1", "~*2", "~*4", "~*5");
        c->model.denied_key = (struct slice){name_of(c, 3), strlen(name_of(c, 3))};
        break;
    default: break;
    }
}

/* Keys that are in the slot that is on its way; once deleted, they do not come back. */
static void cluster_begin(struct check *c)
{
    struct model_value one = model_string(SLICE("1"));
    char slot[8];

    snprintf(slot, sizeof(slot), "%u", key_slot(SLICE("{c}")));
    BOSS(c, "CLUSTER", "SETSLOT", slot, "STABLE");
    BOSS(c, "SET", "{c}3", "1");
    BOSS(c, "SET", "{c}4", "1");
    BOSS(c, "CLUSTER", "SETSLOT", slot, "MIGRATING", c->other_id);
    model_write(&c->model, model_find(&c->model, SLICE("{c}3"), true), &one, 0, 0);
    model_write(&c->model, model_find(&c->model, SLICE("{c}4"), true), &one, 0, 0);
    c->model.cluster = (struct model_cluster){.ctx = c, .slot = cluster_slot};
}

/* ---- commands ---- */

static void draw_command(struct check *c, struct buf *out)
{
    static const char *const deltas[] = {"1", "7", "-3", "0", "05", "+1", "1 "};
    static const char *const odd[] = {
        "9223372036854775807", "-9223372036854775808", "", "9223372036854775808", "x", "-"};
    static const char *const values[] = {"1", "apple", "9223372036854775800", "-12", "007", "", "3 00ff00ff00ff00ff"};
    static const char *const scores[] = {"1", "2", "-3", "700"}, *const members[] = {"a", "b", "c", "0d"};
    const char *key = name_of(c, chance_below(&c->chance, KEYS));
    const char *score = scores[chance_below(&c->chance, 4)], *member = members[chance_below(&c->chance, 4)];
    const char *delta = chance_one_in(&c->chance, 6)
                            ? odd[chance_below(&c->chance, 6)]
                            : deltas[chance_below(&c->chance, chance_one_in(&c->chance, 3) ? 7 : 2)];

#define COMMAND(...)                                                                                                   \
    append_command(out, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})
    switch (chance_below(&c->chance, 30)) {
    case 23: COMMAND("ZADD", key, "GT", score, member, score, "b"); break;
    case 24: COMMAND("ZADD", key, score, member); break;
    case 25: COMMAND("ZADD", key, "GT", score, member); break;
    case 26: COMMAND("ZREM", key, member); break;
    case 27: COMMAND("ZREMRANGEBYRANK", key, "0", "-3"); break;
    case 28: COMMAND("ZCOUNT", key, score, "+inf"); break;
    case 29: COMMAND("ZREVRANGE", key, "0", "127", "WITHSCORES"); break;
    case 0:
    case 1:
    case 2: COMMAND("INCRBY", key, delta); break;
    case 3: COMMAND("INCR", key); break;
    case 4: COMMAND("SET", key, values[chance_below(&c->chance, 7)]); break;
    case 5: COMMAND("SET", key, values[chance_below(&c->chance, 7)], "EX", "2592000"); break;
    case 6: COMMAND("GET", key); break;
    case 7: COMMAND("GETRANGE", key, "0", "20"); break;
    case 8: COMMAND("GETRANGE", key, "0", "1"); break;
    case 9: COMMAND("DEL", key); break;
    case 10: COMMAND("LPUSH", key, "x"); break;
    case 11:
    case 12: COMMAND("WATCH", key); break;
    case 13: COMMAND("UNWATCH"); break;
    case 14:
    case 15: COMMAND("MULTI"); break;
    case 16:
    case 17:
    case 18: COMMAND("EXEC"); break;
    case 19: COMMAND("DISCARD"); break;
    case 20: COMMAND("SET", key, values[chance_below(&c->chance, 7)], "NX"); break;
    case 21: COMMAND("SET", key, values[chance_below(&c->chance, 7)], "EX", "2592000", "XX"); break;
    case 22: COMMAND("AUTH", chance_one_in(&c->chance, 3) ? "salt" : PASSWORD); break;
    default:
        if (chance_one_in(&c->chance, 2))
            COMMAND("SELECT", "0");
        else
            COMMAND("CLIENT", "SETNAME", "check");
    }
#undef COMMAND
}

/* ---- side by side ---- */

/* Lines alike, of errors the first word. */
static bool alike(struct check *c, struct slice a, struct slice b)
{
    if (slice_equals(a, b))
        return true;
    c->texts_differ++;
    while (a.bytes && b.bytes) {
        const char *a_end = memchr(a.at, '\n', a.bytes), *b_end = memchr(b.at, '\n', b.bytes);
        if (!a_end || !b_end)
            return false;
        size_t a_line = (size_t)(a_end + 1 - a.at), b_line = (size_t)(b_end + 1 - b.at);
        size_t word = a.at[0] == '-' ? strcspn(a.at, " \r") : a_line;
        if (word > b_line || memcmp(a.at, b.at, word) != 0 || (a.at[0] != '-' && a_line != b_line))
            return false;
        a = (struct slice){a.at + a_line, a.bytes - a_line};
        b = (struct slice){b.at + b_line, b.bytes - b_line};
    }
    return a.bytes == b.bytes;
}

static bool command_once(struct check *c, uint64_t round)
{
    uint64_t i = chance_below(&c->chance, CLIENTS);
    struct buf command = {0}, expected = {0};
    struct peer *peer = &c->peers[i];

    draw_command(c, &command);
    model_feed(&c->model, &c->clients[i], buf_slice(&command), &expected);
    peer_send(peer, buf_slice(&command));
    size_t end = peer_await(peer);
    bool same = alike(c, buf_slice(&expected), (struct slice){peer->in.data, end});
    if (!same)
        printf("round %" PRIu64 ", client %" PRIu64 ":\n%.*sredis-server says\n%.*sthe model says\n%.*s", round, i,
               (int)command.bytes, command.data, (int)end, peer->in.data, (int)expected.bytes, expected.data);
    buf_consume(&peer->in, end);
    buf_fini(&command);
    buf_fini(&expected);
    c->commands++;
    return same;
}

static void round_begin(struct check *c)
{
    bool password = chance_one_in(&c->chance, 4);

    mood_change(c, MODEL_FINE);
    BOSS(c, "ACL", "SETUSER", "default", "reset", "on", password ? ">" PASSWORD : "nopass", "allkeys", "allchannels",
         "+@all");
    BOSS(c, "FLUSHALL");
    model_init(&c->model, MODEL_KEYS_FEW);
    c->model.password = password ? PASSWORD : NULL;
    if (c->other)
        cluster_begin(c);
    for (int i = 0; i < CLIENTS; i++) {
        close(c->peers[i].fd);
        peer_open(&c->peers[i], c->path);
        model_client_fini(&c->clients[i]);
        c->clients[i] = (struct model_client){0};
    }
}

static bool round_run(struct check *c, uint64_t round)
{
    round_begin(c);
    for (int i = 0; i < COMMANDS_A_ROUND; i++) {
        if (chance_one_in(&c->chance, 20))
            mood_change(
                c, (enum model_mood)chance_below(&c->chance, chance_one_in(&c->chance, 8) ? MODEL_MOODS : MODEL_BUSY));
        if (chance_one_in(&c->chance, 30))
            acl_change(c);
        if (c->model.mood == MODEL_FINE && chance_one_in(&c->chance, 40)) {
            BOSS(c, "FLUSHALL");
            model_flushall(&c->model);
        }
        if (!command_once(c, round))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct check *c = calloc(1, sizeof(*c));

    if (argc < 4 || !c) {
        fprintf(stderr, "usage: check_model SOCKET ROUNDS SEED [OTHER ID]\n");
        return 64;
    }
    c->path = argv[1];
    c->chance.state = strtoull(argv[3], NULL, 10);
    c->other = argc > 5 ? argv[4] : NULL;
    c->other_id = argc > 5 ? argv[5] : NULL;
    peer_open(&c->boss, c->path);
    BOSS(c, "ACL", "SETUSER", "boss", "on", "nopass", "allkeys", "allchannels", "+@all");
    BOSS(c, "AUTH", "boss", "x");
    BOSS(c, "CONFIG", "SET", "busy-reply-threshold", "5");
    peer_open(&c->loop, c->path);
    append_command(&c->loop.in, 3, (const char *const[]){"AUTH", "boss", "x"});
    peer_send(&c->loop, buf_slice(&c->loop.in));
    buf_clear(&c->loop.in);
    buf_consume(&c->loop.in, peer_await(&c->loop));
    for (int i = 0; i < CLIENTS; i++)
        c->peers[i].fd = -1;
    uint64_t rounds = strtoull(argv[2], NULL, 10), round = 0;
    bool same = true;
    for (; same && round < rounds; round++)
        same = round_run(c, round);
    loop_end(c);
    printf("model: %" PRIu64 " rounds, %" PRIu64 " commands, %s; %" PRIu64
           " error texts differ beyond the first word\n",
           round, c->commands, same ? "all answers alike" : "ANSWERS DIFFER", c->texts_differ);
    return same ? 0 : 1;
}
