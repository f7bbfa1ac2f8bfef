#include "nodes/tls_watch.h"

void tls_watch(struct tls *t, const struct env *env, bool asked)
{
    struct error why;

    if (!t)
        return;
    if (asked)
        tls_reread(t);
    switch (tls_tick(t, env_now_us(env) / 1000, &why)) {
    case TLS_SAME: return;
    case TLS_READ:
        ENV_LOG(env, LOG_LEVEL_INFO, "tls_files_read", log_str("effect", "for the next connections"));
        return;
    case TLS_KEPT:
        ENV_LOG(env, LOG_LEVEL_ERROR, "tls_files_kept", log_str("error", why.text),
                log_str("effect", "what was read before stays in force"));
        return;
    }
}
