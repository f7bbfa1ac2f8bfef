#pragma once
/* Says in the log what becomes of the files of TLS while the process runs.
 *
 * Thread: the flusher's. */

#include "owed/env.h"
#include "redis/transport_tls.h"

/* Called once a turn of the flusher. With `asked` the files are read whatever they look like. `t` is NULL without TLS.
 */
void tls_watch(struct tls *t, const struct env *env, bool asked);
