#pragma once
/* The pages of the public port, which never change while it runs.
 *
 * Thread: the worker's. */

#include "request/api_worker.h"

/* Returns false when there is no such page. */
bool route_page(struct api_worker *aw, const struct http_request *r, struct reply *reply);
