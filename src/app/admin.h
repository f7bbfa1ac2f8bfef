#pragma once
/* The admin port: /metrics, /livez, /readyz, /statusz, /configz. A worker of its own with this handler; none of
 * it is ever a route of the public port.
 *
 * Thread: the admin worker's. It only reads: `sources` must outlive the worker. */

#include "app/sources.h"
#include "net/handler.h"

struct handler admin_handler(struct sources *s);
