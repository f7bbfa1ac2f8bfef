#include "ledger/refusal.h"

enum refusal_action refusal_action(enum redis_error_class c)
{
    switch (c) {
    case REDIS_ERROR_NONE: return REFUSAL_NONE;
    case REDIS_ERROR_READONLY:   /* a replica: the name may lead to the new primary by now */
    case REDIS_ERROR_MASTERDOWN: /* likewise */
    case REDIS_ERROR_NOAUTH:     /* the login was taken back */
    case REDIS_ERROR_AUTH_UNWANTED:
    case REDIS_ERROR_PROTECTED:
    case REDIS_ERROR_MAX_CLIENTS:
    case REDIS_ERROR_WRONGPASS: return REFUSAL_RECONNECT;
    case REDIS_ERROR_MOVED: /* in standalone mode there is no map, and only waiting helps */
    case REDIS_ERROR_CROSSSLOT:
    case REDIS_ERROR_CLUSTERDOWN: return REFUSAL_REMAP;
    case REDIS_ERROR_ASK: /* never followed: a transaction whose keys are on two nodes can run on neither */
    case REDIS_ERROR_TRYAGAIN:
    case REDIS_ERROR_LOADING:
    case REDIS_ERROR_OOM:
    case REDIS_ERROR_BUSY:
    case REDIS_ERROR_NOREPLICAS:
    case REDIS_ERROR_MISCONF:
    case REDIS_ERROR_NOPERM:
    case REDIS_ERROR_NOPERM_KEY:
    case REDIS_ERROR_EXECABORT:
    case REDIS_ERROR_WRONGTYPE:
    case REDIS_ERROR_NOT_INTEGER:
    case REDIS_ERROR_OVERFLOW:
    case REDIS_ERROR_UNKNOWN_COMMAND:
    case REDIS_ERROR_NO_CLUSTER:
    case REDIS_ERROR_DATABASE:
    case REDIS_ERROR_OTHER:
    case REDIS_ERROR_COUNT: return REFUSAL_PAUSE;
    }
    return REFUSAL_PAUSE;
}

#define FOREIGN "a key of tallyd holds something else: who else writes below --prefix?"
#define MOVING                                                                                                         \
    "a slot is on its way to another node: end the migration that was left open, or call it off (CLUSTER SETSLOT … " \
    "STABLE on both nodes)"

static const char *const advice[REDIS_ERROR_COUNT] = {
    [REDIS_ERROR_NONE] = "nothing",
    [REDIS_ERROR_MOVED] = "a cluster's slots are on other nodes than it says; a cluster needs --redis-mode cluster",
    [REDIS_ERROR_ASK] = MOVING,
    [REDIS_ERROR_TRYAGAIN] = MOVING,
    [REDIS_ERROR_CLUSTERDOWN] = "the cluster lacks a node or a slot: see CLUSTER INFO and CLUSTER NODES",
    [REDIS_ERROR_CROSSSLOT] = "this is a cluster: start with --redis-mode cluster",
    [REDIS_ERROR_LOADING] = "the server is reading its data set, and serves when it has read it",
    [REDIS_ERROR_READONLY] = "this is a replica: let --redis lead to the primary; after a failover the name follows",
    [REDIS_ERROR_OOM] = "the server's memory is full: raise maxmemory, or make room; keep maxmemory-policy noeviction",
    [REDIS_ERROR_BUSY] = "a script holds the server up: SCRIPT KILL or FUNCTION KILL ends it",
    [REDIS_ERROR_MASTERDOWN] = "this replica has lost its primary: let --redis lead to the primary, or bring it back",
    [REDIS_ERROR_NOREPLICAS] = "the server lacks replicas that it must have before it takes writes: bring one back, or "
                               "lower min-replicas-to-write",
    [REDIS_ERROR_MISCONF] =
        "the server cannot save to its disk: make room there and see its log; it takes writes after "
        "the next save that works",
    [REDIS_ERROR_NOAUTH] = "the server asks for a password: give --redis-password-file, and a user in --redis if it "
                           "has users",
    [REDIS_ERROR_WRONGPASS] = "user or password is not what the server knows: the user is in --redis, the password in "
                              "--redis-password-file, which is read at each connection",
    [REDIS_ERROR_NOPERM] = "the user lacks a right: see ACL LOG on the server",
    [REDIS_ERROR_NOPERM_KEY] = "the user may not touch tallyd's keys: see ACL LOG on the server",
    [REDIS_ERROR_EXECABORT] = "the server gave a transaction up: see the server's log",
    [REDIS_ERROR_WRONGTYPE] = FOREIGN,
    [REDIS_ERROR_NOT_INTEGER] = FOREIGN,
    [REDIS_ERROR_OVERFLOW] = FOREIGN,
    [REDIS_ERROR_UNKNOWN_COMMAND] = "tallyd needs Redis, Valkey or MemoryDB itself: proxies and look-alikes often know "
                                    "no transactions (WATCH, MULTI, EXEC)",
    [REDIS_ERROR_PROTECTED] = "the server is in protected mode: set a password there (requirepass, or ACL SETUSER) and "
                              "give it to tallyd with --redis-password-file",
    [REDIS_ERROR_MAX_CLIENTS] = "the server has no connection left: raise its maxclients, or see CLIENT LIST for who "
                                "holds them",
    [REDIS_ERROR_NO_CLUSTER] = "this is a single server: start with --redis-mode standalone",
    [REDIS_ERROR_DATABASE] = "the server has no such database: take the number off the end of --redis",
    [REDIS_ERROR_AUTH_UNWANTED] = "the server has no password: set one there, or start without one",
    [REDIS_ERROR_OTHER] = "see the words of the server, and its log",
};

const char *refusal_advice(enum redis_error_class c, bool iam)
{
    if (iam && (c == REDIS_ERROR_WRONGPASS || c == REDIS_ERROR_NOAUTH))
        return "IAM refuses: compare the user in --redis, --redis-iam-cluster, the region, memorydb:connect in the "
               "role's policy, and the clock";
    return advice[c];
}

void refused_note(struct refused *who, const char *command, struct slice text)
{
    who->command = command;
    words_take(who->words, text);
}
