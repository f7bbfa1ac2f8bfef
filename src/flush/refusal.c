#include "flush/refusal.h"

enum refusal_action refusal_action(enum redis_error_class c)
{
    switch (c) {
    case REDIS_ERROR_NONE: return REFUSAL_NONE;
    case REDIS_ERROR_READONLY:   /* a replica: the name may lead to the new primary by now */
    case REDIS_ERROR_MASTERDOWN: /* likewise */
    case REDIS_ERROR_NOAUTH:     /* the login was taken back */
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
    case REDIS_ERROR_OTHER:
    case REDIS_ERROR_COUNT: return REFUSAL_PAUSE;
    }
    return REFUSAL_PAUSE;
}
