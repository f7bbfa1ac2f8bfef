#pragma once
/* The state file of this run. It is made at start. The workers and the flusher write to it through a mapping.
 *
 * Thread: main creates, commits and closes it. The storages are their workers', the journals the flusher's.
 * Happy path: state_file_create(), fill it (import_run(), journals), state_file_commit(), serve, state_file_close().
 * Until the commit the file of the run before is untouched, so a crash or a full file system at any point of the start
 * leaves one whole state. */

#include "base/error.h"
#include "tally/state_disk.h"
#include "tally/storage.h"

#define STATE_CHUNK_BYTES (256u << 10)

struct state_file;

struct state_file_config {
    const struct state_disk *disk; /* outlives the file */
    struct state_geometry geometry;
    const char *boot_id;
    uint32_t chunk_bytes; /* by which the file grows, as STATE_CHUNK_BYTES */
};

/* Returns 0, or -errno with a sentence. That of -ENOSPC says how much is needed. */
int state_file_create(struct state_file **out, const struct state_file_config *config, struct error *err);
const struct state_geometry *state_file_geometry(const struct state_file *f);
/* Gives the memory of one shard. It lives as long as the file. */
void state_file_storage(const struct state_file *f, uint32_t shard, struct storage *out);
/* Returns geometry.journal_bytes of zeroes, which live as long as the file. */
void *state_file_journal(const struct state_file *f, uint32_t partition);
int state_file_commit(struct state_file *f); /* 0 or -errno */
/* Closes the file in any case. NULL is allowed. An `orderly` end, when nothing writes any more, brings all of it to the
 * medium first. Returns 0, or -errno when the medium refused. Until the machine ends, the file is whole. */
int state_file_close(struct state_file *f, bool orderly);
