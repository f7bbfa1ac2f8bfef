#pragma once
/* The public HTTP API (DESIGN 5): routes and what answers them. Each worker has a handler.
 *
 * Thread: created and destroyed by main. Each handler runs on its worker. Any thread may call api_stats(). */

#include <stdint.h>

#include "base/error.h"
#include "net/handler.h"

struct api;
struct api_config; /* request/api_config.h */
struct worker;
struct api_stats; /* request/stats.h */
struct policy;    /* policy/policy.h */

int api_create(struct api **out, const struct api_config *config, struct error *err); /* 0 or -ENOMEM */
void api_destroy(struct api *a);
struct handler api_handler(struct api *a, uint32_t worker);
/* Returns the handler of the admin port, which shows names to whoever asks. It is bound as the worker behind the last.
 */
struct handler api_admin_handler(struct api *a);
/* Says which worker runs the handler. Before that worker starts. */
void api_bind(struct api *a, uint32_t worker, struct worker *w);
/* Makes this the policy from now on, or none with NULL. Only main, which keeps the one before until api_published()
 * says that no worker looks at it any more. Workers that run must be woken to take it (worker_wake()). */
void api_publish(struct api *a, const struct policy *policy);
bool api_published(const struct api *a);
const struct api_stats *api_stats(const struct api *a, uint32_t worker);
