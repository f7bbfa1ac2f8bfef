#pragma once
/* Walks through the store for those who ask for its names (owed/scan.h), a page at a time. It has a connection of
 * its own, because that of the batches holds a WATCH, and neither is to wait for the other.
 *
 * Thread: the flusher's.
 * Happy path: the first who asks makes the connection. INFO server says which process answers, since a cursor means
 * nothing to another. Then SCAN, and GETRANGE of each name that it brings, until the page is full, the walk has ended,
 * or SCANNER_PAGE_MS have passed. Walks are served one after the other. Without any for SCANNER_IDLE_MS the connection
 * ends.
 *
 * Failure modes:
 *   - The connection fails, or the server refuses SCAN: all that wait are told at once, because their clients ask
 * again. The log says what is refused.
 *   - Too many wait: the next is told that the scanner is too busy.
 *   - A deadline passes: its asker is told so. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "owed/accounts.h"
#include "owed/keyspace.h"
#include "owed/question.h"
#include "owed/scan.h"
#include "redis/link.h"
#include "redis/slots.h"

#define SCANNER_PAGE_MS 2000
#define SCANNER_IDLE_MS 10000
#define SCANNER_WAITING_MAX 64

struct scanner_config {
    struct accounts *accounts; /* all pointers are the caller's, and outlive the scanner */
    const struct keyspace *space;
    struct link_config link; /* all but the address */
    void *ctx;
    /* Where a partition lives, or NULL when nobody knows. */
    const struct node_address *(*home)(void *ctx, uint32_t partition);
    struct asker asker;
};

struct scanner;

int scanner_create(struct scanner **out, const struct scanner_config *config); /* 0 or -ENOMEM */
void scanner_destroy(struct scanner *s);                                       /* NULL is allowed */
void scanner_push(struct scanner *s, struct question *question);               /* ASK_SCAN */
void scanner_tick(struct scanner *s, uint64_t now_ms);
void scanner_fail(struct scanner *s); /* answers all that wait */
/* Returns false when there is nothing to poll. */
bool scanner_poll(const struct scanner *s, struct pollfd *out);
uint64_t scanner_wake_ms(const struct scanner *s);
