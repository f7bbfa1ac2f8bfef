#include "support/state_memory.h"

static bool memory_fails(struct memory_disk *d) { return ++d->calls == d->fail_at; }

static int64_t memory_old_bytes(void *ctx)
{
    struct memory_disk *d = ctx;

    if (memory_fails(d))
        return -EIO;
    return d->old ? (int64_t)d->old_bytes : -ENOENT;
}

static int memory_old_read(void *ctx, void *to, uint64_t bytes)
{
    struct memory_disk *d = ctx;

    if (memory_fails(d))
        return -EIO;
    memcpy(to, d->old, bytes < d->old_bytes ? bytes : d->old_bytes);
    return 0;
}

static int memory_create(void *ctx, uint64_t bytes, void **base)
{
    struct memory_disk *d = ctx;

    if (memory_fails(d))
        return -EIO;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(at != MAP_FAILED);
    *base = d->new = at;
    d->new_bytes = bytes;
    return 0;
}

static void memory_origin(void *ctx, struct state_origin *out)
{
    (void)ctx;
    *out = (struct state_origin){0};
}

static bool memory_old_has_twin(void *ctx, const struct state_origin *origin)
{
    (void)origin;
    return ((struct memory_disk *)ctx)->twin;
}

static int memory_allocate(void *ctx, uint64_t at, uint64_t bytes)
{
    struct memory_disk *d = ctx;

    assert(at + bytes <= d->new_bytes);
    if (memory_fails(d))
        return -EIO;
    if (d->room && d->allocated + bytes > d->room)
        return -ENOSPC;
    d->allocated += bytes;
    return 0;
}

static int memory_set_aside(void *ctx, char *name, uint64_t bytes)
{
    struct memory_disk *d = ctx;

    if (memory_fails(d))
        return -EIO;
    snprintf(name, bytes, "aside-%d", ++d->asides);
    return 0;
}

static int memory_commit(void *ctx)
{
    struct memory_disk *d = ctx;

    if (memory_fails(d))
        return -EIO;
    d->commits++;
    return 0;
}

static int memory_sync(void *ctx)
{
    struct memory_disk *d = ctx;

    d->syncs++;
    return memory_fails(d) ? -EIO : 0;
}

void memory_close(void *ctx)
{
    struct memory_disk *d = ctx;

    if (d->new)
        munmap(d->new, d->new_bytes);
    d->new = NULL;
}

void memory_disk_init(struct memory_disk *d)
{
    *d = (struct memory_disk){.disk = {.ctx = d,
                                       .old_bytes = memory_old_bytes,
                                       .old_read = memory_old_read,
                                       .create = memory_create,
                                       .origin = memory_origin,
                                       .old_has_twin = memory_old_has_twin,
                                       .allocate = memory_allocate,
                                       .set_aside = memory_set_aside,
                                       .commit = memory_commit,
                                       .sync = memory_sync,
                                       .close = memory_close}};
}

void memory_disk_crash(const struct memory_disk *from, struct memory_disk *to)
{
    memory_disk_init(to);
    to->old_bytes = from->new_bytes;
    to->old = malloc(to->old_bytes);
    assert(to->old);
    memcpy(to->old, from->new, to->old_bytes);
}

void memory_disk_fini(struct memory_disk *d)
{
    memory_close(d);
    free(d->old);
}
