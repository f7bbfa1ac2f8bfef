#pragma once
/* What main knows of each file of the policy, as far as the admin's thread shows it.
 *
 * Thread: main writes. Any thread may call policy_stale_us(). */

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "config/options.h"
#include "policy/policy.h"

/* What tells one state of a file from another. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed; /* its contents, owner or mode */
};

struct policy_watch {
    struct file_stamp seen;
    struct error wrong;      /* what was said of it. Empty when what the file says is in force */
    uint64_t stale_since_ms; /* on the monotonic clock, 0 when it is not. Read by the admin's thread */
};

enum option_index policy_file_option(enum policy_part part);
/* Returns "token-file" and so on. */
const char *policy_file_name(enum policy_part part);
/* Returns for how long the file could not be taken, and 0 when what it says is in force. */
int64_t policy_stale_us(const struct policy_watch *w);
