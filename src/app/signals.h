#pragma once
/* SIGTERM, SIGINT and SIGHUP as something to read in main's loop, through signalfd(2).
 *
 * Thread: main, before any other thread starts, so that all inherit the blocked mask. */

#include <stdint.h>

#include "base/error.h"

/* Blocks the three signals and ignores SIGPIPE. Returns a descriptor, or -errno. */
int signals_open(struct error *err);
/* Waits at most `wait_ms`, or for ever with -1. Returns the signal's number, or 0 when none came. */
int signals_wait(int fd, int wait_ms);
/* Hands the signals back to the kernel's default. */
void signals_close(int fd);
