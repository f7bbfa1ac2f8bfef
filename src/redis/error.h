#pragma once
/* What kind of refusal an error reply is; the kind decides what the flusher does next (DESIGN 4.2).
 *
 * Thread: pure functions.
 * Source: the first word of an error reply (Redis protocol specification, "Simple errors"); the texts
 * after ERR and NOPERM as Redis 5…7, Valkey 7…8 and MemoryDB write them. */

#include "base/slice.h"

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
    REDIS_ERROR_OTHER,
    REDIS_ERROR_COUNT,
};

/* `text` is the error line without its '-'. */
enum redis_error_class redis_error_classify(struct slice text);
/* For labels of metrics and log lines: "moved", "noperm_key", … */
const char *redis_error_name(enum redis_error_class c);
