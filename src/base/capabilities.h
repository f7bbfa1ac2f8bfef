#pragma once
/* Capabilities (capabilities(7)): a server that listens already needs none.
 *
 * Thread: each for itself, since the kernel keeps them by thread; one that is created later inherits its maker's. */

/* Gives up every capability of this thread: effective, permitted, inheritable and ambient, and the bounding set where
 * the thread may (CAP_SETPCAP). Returns 0, or -errno when some are left. */
int capabilities_drop(void);
