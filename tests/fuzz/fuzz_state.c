/* Recovery from a damaged state file. The input damages what a process left that died at some moment, or is the file:
 *   byte 0       how, see enum damage; the moment
 *   then         (three bytes of place, one of flipped bits)...; or the file itself
 * Whatever comes, recovery starts and the process counts on. After one damaged byte no name has more hits than were
 * ever counted; a file that was made up (sums mended) need only be survived. */

#include "support/state_run.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum damage { DAMAGE_ONE_BYTE, DAMAGE_BYTES, DAMAGE_AND_MEND, DAMAGE_WHOLE_FILE, DAMAGES };

enum moment { MOMENT_COUNTED, MOMENT_SENT, MOMENT_APPLIED, MOMENT_STORED, MOMENTS };

enum { EDIT_BYTES = 4 };

static const struct run_config config = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4};

/* What each moment leaves; made once. */
static struct memory_disk left[MOMENTS];
static struct run_model models[MOMENTS];

static void hits(struct run_process *p, struct run_model *m, uint64_t salt)
{
    for (uint32_t i = 0; i < RUN_NAMES; i++)
        run_hit(p, m, (uint32_t)(i + salt) % 2, i, 1 + (i * 7 + salt) % 300);
}

static void live_and_die(enum moment moment)
{
    struct run_process p = {0};
    struct run_model *m = &models[moment];
    struct error err;

    memory_disk_init(&p.disk);
    int failed = run_start(&p, &config, 1, &err);
    assert(!failed);
    hits(&p, m, 0);
    bool stored = run_intend(&p) && run_store(&p, m, &p.batch);
    assert(stored);
    run_answered(&p, &p.batch);
    hits(&p, m, 1);
    if (moment >= MOMENT_SENT)
        run_intend(&p);
    hits(&p, m, 2);
    if (moment >= MOMENT_APPLIED)
        run_store(&p, m, &p.batch);
    if (moment >= MOMENT_STORED)
        run_answered(&p, &p.batch);
    memory_disk_crash(&p.disk, &left[moment]);
    run_end(&p);
}

static void file_edit(struct memory_disk *disk, const uint8_t *edit)
{
    uint64_t at = (uint64_t)edit[0] | (uint64_t)edit[1] << 8 | (uint64_t)edit[2] << 16;

    disk->old[at % disk->old_bytes] ^= (char)edit[3];
}

/* The header's sum is made right, so that what it says is believed. */
static void header_mend(struct memory_disk *disk)
{
    struct state_header header, mended;

    if (disk->old_bytes < sizeof(header))
        return;
    memcpy(&header, disk->old, sizeof(header));
    header.boot_id[STATE_BOOT_ID_BYTES - 1] = '\0';
    /* A file as large as its geometry says, but none that takes all memory. */
    if (header.geometry.workers > 8 || header.geometry.partitions > 64 || header.geometry.cells_max > 4096 ||
        header.geometry.names_units_max > 65536 || header.geometry.journal_bytes > 65536)
        return;
    state_header_make(&mended, &header.geometry, header.boot_id, &header.origin);
    memcpy(disk->old, &mended, sizeof(mended));
}

static void file_take(struct memory_disk *disk, const void *from, uint64_t bytes)
{
    memory_disk_init(disk);
    disk->old = malloc(bytes + 1);
    assert(disk->old);
    disk->old_bytes = bytes;
    memcpy(disk->old, from, bytes);
}

/* The next run on that file. */
static void recover(struct run_process *p, enum damage damage, const struct run_model *before)
{
    struct run_model m = *before;
    struct error err;

    if (run_start(p, &config, 99, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    if (damage == DAMAGE_ONE_BYTE) {
        run_drain(p, &m);
        for (uint32_t i = 0; i < RUN_NAMES; i++)
            assert(m.stored[i] <= m.written[i]);
    } else {
        tally_hit(p->recovery.tally, 0, run_name(0), 1);
        keys_collect(p->keys);
    }
    assert(p->disk.commits == 1 && p->disk.asides == p->recovery.damaged);
    run_end(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct run_process p = {0};

    if (!left[0].old)
        for (enum moment m = 0; m < MOMENTS; m++)
            live_and_die(m);
    if (bytes < 1 + EDIT_BYTES)
        return 0;
    enum damage damage = data[0] % DAMAGES;
    enum moment moment = data[0] / DAMAGES % MOMENTS;
    data++, bytes--;
    if (damage == DAMAGE_WHOLE_FILE) {
        file_take(&p.disk, data, bytes);
    } else {
        file_take(&p.disk, left[moment].old, left[moment].old_bytes);
        size_t edits = damage == DAMAGE_ONE_BYTE ? 1 : bytes / EDIT_BYTES;
        for (size_t i = 0; i < edits; i++)
            file_edit(&p.disk, data + i * EDIT_BYTES);
    }
    if (damage == DAMAGE_AND_MEND)
        header_mend(&p.disk);
    recover(&p, damage, &models[moment]);
    return 0;
}
