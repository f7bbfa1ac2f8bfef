#pragma once
/* What main knows of each file of the policy, as far as the admin's thread shows it.
 *
 * Thread: written by main; policy_stale_us() any. */

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "api/policy.h"
#include "app/options.h"

/* What tells one state of a file from another. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed; /* its contents, owner or mode */
};

struct policy_watch {
    struct file_stamp seen;
    struct error wrong;      /* what was said of it; empty: what is in force is what the file says */
    uint64_t stale_since_ms; /* on the monotonic clock; 0: it is not. Read by the admin's thread */
};

enum option_index policy_file_option(enum policy_part part);
/* "token-file" and so on. */
const char *policy_file_name(enum policy_part part);
/* For how long the file could not be taken; 0: what it says is in force. */
int64_t policy_stale_us(const struct policy_watch *w);
