#pragma once
/* The kinds of refusal that an error reply of Redis, Valkey or MemoryDB may be. The kind decides what the flusher does
 * next (DESIGN 4.2). redis/error.h tells it from the text.
 *
 * Thread: a pure function. */

enum redis_error_class {
    REDIS_ERROR_NONE,
    REDIS_ERROR_MOVED,
    REDIS_ERROR_ASK,
    REDIS_ERROR_TRYAGAIN,
    REDIS_ERROR_CLUSTERDOWN,
    REDIS_ERROR_CROSSSLOT, /* a transaction over several slots of one node: a cluster in standalone mode */
    REDIS_ERROR_LOADING,
    REDIS_ERROR_READONLY,
    REDIS_ERROR_OOM,
    REDIS_ERROR_BUSY,
    REDIS_ERROR_MASTERDOWN,
    REDIS_ERROR_NOREPLICAS,
    REDIS_ERROR_MISCONF,
    REDIS_ERROR_NOAUTH,
    REDIS_ERROR_WRONGPASS,
    REDIS_ERROR_NOPERM,     /* a command that this user may not run */
    REDIS_ERROR_NOPERM_KEY, /* a key that this user may not touch */
    REDIS_ERROR_EXECABORT,
    REDIS_ERROR_WRONGTYPE,
    REDIS_ERROR_NOT_INTEGER,
    REDIS_ERROR_OVERFLOW,
    REDIS_ERROR_UNKNOWN_COMMAND,
    REDIS_ERROR_PROTECTED,     /* protected mode: no password is set, and we come from elsewhere */
    REDIS_ERROR_MAX_CLIENTS,   /* the server has no connection left */
    REDIS_ERROR_NO_CLUSTER,    /* a single server is asked for its map */
    REDIS_ERROR_DATABASE,      /* it has no database of that number */
    REDIS_ERROR_AUTH_UNWANTED, /* a password for a server that has none */
    REDIS_ERROR_OTHER,
    REDIS_ERROR_COUNT,
};

/* For labels of metrics and log lines: "moved", "noperm_key", … */
const char *redis_error_name(enum redis_error_class c);
