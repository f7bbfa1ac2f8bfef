#pragma once
/* Says in the log what becomes of the files of TLS while the process runs.
 *
 * Thread: the flusher's. */

#include "ledger/env.h"
#include "redis/transport_tls.h"

/* Once a turn of the flusher; `asked`: the files are to be read whatever they look like. `t` NULL: there is no TLS. */
void tls_watch(struct tls *t, const struct env *env, bool asked);
