#pragma once
/* What the process gives up, so that whoever takes it over gains little. README, "Hardening", says what is left.
 *
 * Thread: main. All of it is for good: nothing here can be undone. */

#include "app/options.h"

/* Before anything is opened: refuses root, and closes memory to debuggers and core dumps. 0 or -errno with a sentence.
 */
int privileges_drop(const struct options *o, struct error *err);

/* Before the first thread: no privileges by executing a file (PR_SET_NO_NEW_PRIVS), and a session keyring of its own
 * (session-keyring(7)), so that the one of whoever started it is out of reach. What a container forbids stays undone:
 * it keeps keyrings away, too. */
void sandbox_privileges(void);

/* Landlock (landlock(7), Linux 5.13; TCP ports 6.7): from now on this thread, and those that it starts, reach the files
 * of the options, what resolving names needs, and the state directory. 0, or -errno when the kernel has no Landlock. */
int sandbox_files(const struct options *o);

/* Must host names be resolved, now or later? Not when the only host is an address. */
bool sandbox_resolves_names(const struct options *o);

/* A seccomp filter for all threads (seccomp(2), SECCOMP_FILTER_FLAG_TSYNC): from now on only what serving needs.
 * 0, or -errno when the kernel refuses filters. */
int sandbox_calls(const struct options *o);
