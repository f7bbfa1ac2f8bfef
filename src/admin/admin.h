#pragma once
/* The admin port, with /metrics, /livez, /readyz, /statusz, /configz, /openapi.json and the routes under /v1 that
 * show names. It is a worker of its own with this handler.
 *
 * Thread: the admin worker's. It only reads. `sources` must outlive the worker. */

#include "admin/sources.h"
#include "net/handler.h"

struct handler admin_handler(struct sources *s);
