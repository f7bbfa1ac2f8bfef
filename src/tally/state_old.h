#pragma once
/* The state file that the run before left, read into memory. Nothing in it is trusted before it has proved itself.
 *
 * Thread: main's, at start.
 * A cell is whole when its count, its baseline and its name are. What is not whole is counted and left out. So whatever
 * is damaged, nothing is counted that was not written. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tally/state_disk.h"
#include "tally/state_format.h"

struct state_old {
    char *base; /* owned region, with zeroes behind `bytes` */
    uint64_t bytes, region_bytes;
    struct state_header header;
    struct state_plan plan;
    bool orderly;          /* the run before ended in order */
    bool header_damaged;   /* one of the two */
    uint64_t lower_bounds; /* damaged counts, of which only a journal says how large they are at least */
};

/* Returns 0, -ENOENT when there is none, -EBADMSG when nothing in it can be used, or -ENOMEM and the like. `err` says
 * why. */
int state_old_load(struct state_old *o, const struct state_disk *disk, struct error *err);
void state_old_free(struct state_old *o);

/* Returns how many cells of `shard` to look at. When that number is damaged, `*whole` is false, and every cell that may
 * be there is to be looked at. */
uint32_t state_old_cells(const struct state_old *o, uint32_t shard, bool *whole);

enum state_cell {
    STATE_CELL_EMPTY, /* never was one, or its name was forgotten */
    STATE_CELL_WHOLE,
    STATE_CELL_DAMAGED,
};

struct state_cell_view {
    struct slice name; /* into the file */
    uint64_t count, baseline;
    bool reused; /* it had another name before, so its count is not of this one alone */
};

enum state_cell state_old_cell(const struct state_old *o, uint32_t shard, uint32_t cell, struct state_cell_view *out);
/* Returns the name alone, with 0 bytes when it is not whole. */
struct slice state_old_name(const struct state_old *o, uint32_t shard, uint32_t cell);
/* Tells what a journal proves of a cell, that it was at `from` before the batch and counted `to` at least. Only for a
 * cell whose name is whole. Returns false when the cell contradicts it. */
bool state_old_prove(struct state_old *o, uint32_t shard, uint32_t cell, uint64_t from, uint64_t to);

/* Returns what is there of a journal, at most geometry.journal_bytes. */
struct slice state_old_journal(const struct state_old *o, uint32_t partition);
