#pragma once
/* What the process gives up, so that whoever takes it over gains little. README, "Hardening", says what is left.
 *
 * Thread: main.
 * Nothing of it can be undone.
 * Source: capabilities(7), landlock(7), seccomp(2), session-keyring(7). */

#include "config/options.h"

/* Called before anything is opened. Refuses root, and closes memory to debuggers and core dumps. Returns 0, or -errno
 * with a sentence. */
int privileges_drop(const struct options *o, struct error *err);

/* Called before the first thread. Executing a file gives no privileges any more (PR_SET_NO_NEW_PRIVS). The session
 * keyring is a new one, so that the keyring of whoever started it is out of reach. A container that forbids the call
 * keeps keyrings away itself. */
void sandbox_privileges(void);

/* Limits this thread, and those that it starts, by Landlock (Linux 5.13, for TCP ports 6.7). They reach the files of
 * the options, what resolving names needs, and the state directory. Returns 0, or -errno when the kernel has no
 * Landlock. */
int sandbox_files(const struct options *o);

/* Tells whether host names must be resolved, now or later. They need not be when the only host is an address. */
bool sandbox_resolves_names(const struct options *o);

/* Puts a seccomp filter on all threads (SECCOMP_FILTER_FLAG_TSYNC), which allows what serving needs. Returns 0, or
 * -errno when the kernel refuses filters. */
int sandbox_calls(const struct options *o);
