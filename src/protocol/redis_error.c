#include "protocol/redis_error.h"

#include <assert.h>

static const char *const names[REDIS_ERROR_COUNT] = {
    [REDIS_ERROR_NONE] = "none",
    [REDIS_ERROR_MOVED] = "moved",
    [REDIS_ERROR_ASK] = "ask",
    [REDIS_ERROR_TRYAGAIN] = "tryagain",
    [REDIS_ERROR_CLUSTERDOWN] = "clusterdown",
    [REDIS_ERROR_CROSSSLOT] = "crossslot",
    [REDIS_ERROR_LOADING] = "loading",
    [REDIS_ERROR_READONLY] = "readonly",
    [REDIS_ERROR_OOM] = "oom",
    [REDIS_ERROR_BUSY] = "busy",
    [REDIS_ERROR_MASTERDOWN] = "masterdown",
    [REDIS_ERROR_NOREPLICAS] = "noreplicas",
    [REDIS_ERROR_MISCONF] = "misconf",
    [REDIS_ERROR_NOAUTH] = "noauth",
    [REDIS_ERROR_WRONGPASS] = "wrongpass",
    [REDIS_ERROR_NOPERM] = "noperm",
    [REDIS_ERROR_NOPERM_KEY] = "noperm_key",
    [REDIS_ERROR_EXECABORT] = "execabort",
    [REDIS_ERROR_WRONGTYPE] = "wrongtype",
    [REDIS_ERROR_NOT_INTEGER] = "not_integer",
    [REDIS_ERROR_OVERFLOW] = "overflow",
    [REDIS_ERROR_UNKNOWN_COMMAND] = "unknown_command",
    [REDIS_ERROR_PROTECTED] = "protected_mode",
    [REDIS_ERROR_MAX_CLIENTS] = "max_clients",
    [REDIS_ERROR_NO_CLUSTER] = "no_cluster",
    [REDIS_ERROR_DATABASE] = "no_database",
    [REDIS_ERROR_AUTH_UNWANTED] = "auth_unwanted",
    [REDIS_ERROR_OTHER] = "other",
};

const char *redis_error_name(enum redis_error_class c)
{
    assert(c < REDIS_ERROR_COUNT);
    return names[c];
}
