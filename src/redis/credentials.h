#pragma once
/* Where the password comes from. It is asked for anew at each connection, so that a rotated one is found after
 * WRONGPASS.
 *
 * Thread: password() is called on the flusher's. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct credentials {
    /* Returns the password to greet with, which is good until the next call, or NULL with a sentence that says why
     * there is none. The function is NULL when there is no AUTH. */
    const char *(*password)(void *ctx, struct error *err);
    void *ctx;
    bool iam;              /* it is a token of AWS IAM */
    uint64_t reconnect_ms; /* a connection is made anew when it is this old, or never with 0 */
};
