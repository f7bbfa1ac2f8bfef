#pragma once
/* The admin port, with /metrics, /livez, /readyz, /statusz, /configz and /openapi.json. It is a worker of its own with
 * this handler. Only /openapi.json is a route of the public port, too.
 *
 * Thread: the admin worker's. It only reads. `sources` must outlive the worker. */

#include "app/sources.h"
#include "net/handler.h"

struct handler admin_handler(struct sources *s);
