#pragma once
/* From the state file of the run before to the tally and the state file of this one (DESIGN 4.4).
 *
 * Thread: main's, before all others.
 * Happy path:
 *   1. The old file is read. Each partition's journal says who it is, what was acknowledged, and which batch is open.
 *   2. The cells that an open batch moved go back to where they were before it.
 *   3. What every name has pending goes into a new file, which is cut for this run's workers and limits. So do the
 *      journals, and their open batches point to the new cells.
 *   4. In one step the new file takes the place of the old one.
 * A batch that was open keeps its number, its nonce and its bytes, so the ledger decides about it as about any other.
 *
 * Failure modes:
 *   - Something is damaged: it is left out and counted, and the file is kept aside.
 *   - It is not known what an open batch held, or it cannot be sent as it was, because the prefix or the number of
 *     partitions changed. Its hits may be stored already. So they are not sent again but counted as lost, and the
 *     partition gets a new identity. When not even its cells are known, that is all that the partition had pending.
 *   - The machine went down without the file being brought to its medium. Its pages may be of different times, so the
 *     same holds for all of it.
 *   - The file is a copy, and the process with the original may still run. What it had pending is that one's to store.
 * So it is counted as lost, and all partitions get a new identity.
 *   - There is no room for the new file: -ENOSPC, and the old one is untouched. */

#include "base/error.h"
#include "ledger/flush_options.h"
#include "owed/env.h"
#include "tally/import.h"
#include "tally/state_file.h"

struct recovery_config {
    const struct flush_options *options;
    const struct env *env;
    const struct state_disk *disk; /* outlives what comes out */
    const char *boot_id;
    uint32_t workers, keys_max;
    uint32_t chunk_bytes;
};

struct recovery {
    struct state_file *state; /* the caller's now, as is the tally */
    struct tally *tally;
    struct import import;
    char instance[UUID_TEXT_BYTES]; /* of the first partition */
    bool found;                     /* there was an old file */
    bool damaged;                   /* and not all of it could be used */
    bool copied;                    /* because it is a copy of one that is in use */
    uint64_t lost_hits;             /* may be stored already, so they will not be sent */
    uint32_t open;                  /* batches whose fate is open */
    uint32_t renamed;               /* partitions that got a new identity */
    char aside[64];                 /* where the old file is kept, or empty */
    struct error damage;            /* why nothing of it could be used. Empty when something could */
};

/* Returns 0, or -errno with a sentence. Nothing is left open then. */
int recovery_run(struct recovery *out, const struct recovery_config *config, struct error *err);
