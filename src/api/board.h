#pragma once
/* The last ranking of namespaces (api/ranking.h), for workers to show.
 *
 * Thread: the admin's worker publishes. Any worker wants and reads.
 * A walk over all cells would hold hits up, so the admin's worker makes it, and only when somebody wants it. Each
 * namespace has a slot, which it keeps. What one slot says is of one ranking. */

#include <stdbool.h>
#include <stdint.h>

#include "api/ranking.h"

struct board;

int board_create(struct board **out); /* 0 or -ENOMEM */
void board_destroy(struct board *b);  /* NULL is allowed */

/* ---- the admin's worker ---- */
bool board_take_wish(struct board *b); /* does somebody want a new one? Then it is to be published */
void board_publish(struct board *b, const struct ranking *r);

/* ---- any worker ---- */
bool board_is_fresh(const struct board *b, uint64_t now_ms); /* a new one would be the same */
bool board_is_there(const struct board *b);                  /* there was one once */
/* Returns whether the admin's worker must be woken. */
bool board_want(struct board *b);
uint32_t board_count(const struct board *b); /* slots are 0 … one less */
/* Returns false when the namespace is not in the last ranking. */
bool board_read(const struct board *b, uint32_t slot, struct ranking_namespace *out);
