#include "flush/refusal.h"

enum refusal_action refusal_action(enum redis_error_class c)
{
    switch (c) {
    case REDIS_ERROR_READONLY:   /* a replica: the name may lead to the new primary by now */
    case REDIS_ERROR_MASTERDOWN: /* likewise */
    case REDIS_ERROR_NOAUTH:     /* the login was taken back */
    case REDIS_ERROR_WRONGPASS: return REFUSAL_RECONNECT;
    case REDIS_ERROR_NONE:
    case REDIS_ERROR_MOVED: /* a cluster node: only another --redis-mode helps, and until then waiting */
    case REDIS_ERROR_ASK:
    case REDIS_ERROR_TRYAGAIN:
    case REDIS_ERROR_CLUSTERDOWN:
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
    case REDIS_ERROR_OTHER:
    case REDIS_ERROR_COUNT: return REFUSAL_PAUSE;
    }
    return REFUSAL_PAUSE;
}
