#pragma once
/* By which names the admin port may be asked. A web page can make a name of its own point to this machine (DNS
 * rebinding) and then read what the port answers. By an address or "localhost" it cannot.
 *
 * Thread: any. */

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

/* Tells whether `host` is a name in `list`, "localhost", an address, or empty. `host` is the field's value, with or
 * without a port. Its `at` is NULL when there is none (HTTP/1.0). `list` has names with commas between, in any case. */
bool admin_host_known(const char *list, struct slice host);

/* Returns 0, or -EINVAL when something in `list` is no name as a Host field has it, so that it would never be met. */
int admin_hosts_check(const char *list, struct error *err);
