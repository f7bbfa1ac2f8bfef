#pragma once
/* Capabilities. A server that listens already needs none.
 *
 * Thread: each for itself. The kernel keeps them by thread, and a new thread inherits its maker's.
 * Source: capabilities(7). */

/* Gives up the effective, permitted, inheritable and ambient capabilities of this thread, and the bounding set where
 * CAP_SETPCAP allows it. Returns 0, or -errno when some are left. */
int capabilities_drop(void);
