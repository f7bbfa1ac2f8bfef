#include "tally/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME "tallyd.lock"
#define OLD_NAME "tallyd.state"
#define NEW_NAME "tallyd.state.new"
#define FILE_MODE 0600

struct state_dir {
    struct state_disk disk;
    int fd, lock_fd, new_fd; /* -1: not open */
    void *base;              /* owned mapping of the new file; NULL: none */
    uint64_t bytes;
    bool committed;
};

/* ---- the old file ---- */

static int old_open(const struct state_dir *d)
{
    int fd = openat(d->fd, OLD_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

static int64_t dir_old_bytes(void *ctx)
{
    struct stat st;
    const struct state_dir *d = ctx;

    if (fstatat(d->fd, OLD_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return S_ISREG(st.st_mode) ? st.st_size : -EINVAL;
}

static int read_range(int fd, char *to, uint64_t at, uint64_t end)
{
    while (at < end) {
        ssize_t n = pread(fd, to + at, end - at, (off_t)at);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0; /* it ends earlier than it said: what is missing reads as a hole */
        at += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

/* read(2), not a mapping: reading a hole of a mapped tmpfs file takes a page of it, and SIGBUS when it is full. */
static int dir_old_read(void *ctx, void *to, uint64_t bytes)
{
    int fd = old_open(ctx), failed = fd < 0 ? fd : 0;
    off_t at = 0, end = 0;

    while (!failed && (uint64_t)end < bytes && (at = lseek(fd, end, SEEK_DATA)) >= 0) {
        end = lseek(fd, at, SEEK_HOLE);
        if (end < 0)
            end = (off_t)bytes;
        failed = read_range(fd, to, (uint64_t)at, (uint64_t)end < bytes ? (uint64_t)end : bytes);
    }
    if (!failed && at < 0 && errno == EINVAL) /* a file system without holes */
        failed = read_range(fd, to, 0, bytes);
    if (fd >= 0)
        close(fd);
    return failed;
}

static int dir_set_aside(void *ctx, char *name, uint64_t name_bytes)
{
    const struct state_dir *d = ctx;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, name_bytes, OLD_NAME ".damaged-%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
    /* A second name, not another one: the state must be under its own until the new one is. A directory can only
     * be moved. */
    if (linkat(d->fd, OLD_NAME, d->fd, name, 0) == 0)
        return 0;
    return renameat(d->fd, OLD_NAME, d->fd, name) < 0 ? -errno : 0;
}

/* ---- the new file ---- */

static int dir_create(void *ctx, uint64_t bytes, void **base)
{
    struct state_dir *d = ctx;

    d->new_fd = openat(d->fd, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (d->new_fd < 0)
        return -errno;
    if (bytes > INT64_MAX || ftruncate(d->new_fd, (off_t)bytes) < 0)
        return bytes > INT64_MAX ? -EFBIG : -errno;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, d->new_fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    *base = d->base = at;
    d->bytes = bytes;
    return 0;
}

static void dir_origin(void *ctx, struct state_origin *out)
{
    const struct state_dir *d = ctx;
    struct stat st = {0};

    (void)!fstat(d->new_fd, &st);
    state_origin_make(out, &st);
}

static bool dir_old_has_twin(void *ctx, const struct state_origin *origin)
{
    const struct state_dir *d = ctx;
    struct stat st;

    return fstatat(d->fd, OLD_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && state_origin_has_twin(origin, &st);
}

static int dir_allocate(void *ctx, uint64_t at, uint64_t bytes)
{
    const struct state_dir *d = ctx;
    int failed;

    do
        failed = posix_fallocate(d->new_fd, (off_t)at, (off_t)bytes);
    while (failed == EINTR);
    return -failed;
}

static int dir_commit(void *ctx)
{
    struct state_dir *d = ctx;

    if (renameat(d->fd, NEW_NAME, d->fd, OLD_NAME) < 0)
        return -errno;
    d->committed = true;
    return 0;
}

static int dir_sync(void *ctx)
{
    const struct state_dir *d = ctx;

    if (msync(d->base, d->bytes, MS_SYNC) < 0 || fsync(d->fd) < 0)
        return -errno;
    return 0;
}

static void dir_close(void *ctx)
{
    struct state_dir *d = ctx;

    if (d->base)
        munmap(d->base, d->bytes);
    if (d->new_fd >= 0)
        close(d->new_fd);
    if (d->new_fd >= 0 && !d->committed)
        unlinkat(d->fd, NEW_NAME, 0);
    d->base = NULL;
    d->new_fd = -1;
}

/* ---- the directory ---- */

static int lock_take(struct state_dir *d, const char *path, struct error *err)
{
    char pid[24] = "?";

    d->lock_fd = openat(d->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (d->lock_fd < 0)
        return error_set(err, -errno, "cannot write in --state-dir %s: %s; it must be writable for this user", path,
                         strerror(errno));
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        int why = errno;
        if (why != EWOULDBLOCK)
            return error_set(err, -why, "cannot lock %s/" LOCK_NAME ": %s", path, strerror(why));
        ssize_t n = pread(d->lock_fd, pid, sizeof(pid) - 1, 0);
        pid[n > 0 ? strcspn(pid, "\n") : 1] = '\0';
        return error_set(err, -EBUSY,
                         "--state-dir %s is in use by another tallyd (process %s): give each its own directory", path,
                         pid);
    }
    /* For whoever reads it; a full directory must not matter here. */
    int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(d->lock_fd, 0) == 0)
        (void)!pwrite(d->lock_fd, pid, (size_t)n, 0);
    return 0;
}

/* Who could write another's counts into it could make us add them to the store. */
static int owner_check(const struct state_dir *d, const char *path, struct error *err)
{
    struct stat st;
    if (fstatat(d->fd, OLD_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid == geteuid())
        return 0;
    return error_set(err, -EPERM,
                     "%s/" OLD_NAME " belongs to user %u, and this is user %u: another's counts are not believed; "
                     "change its owner if they are yours, or move it away",
                     path, st.st_uid, geteuid());
}

int state_dir_open(struct state_dir **out, const char *path, struct error *err)
{
    struct state_dir *d = calloc(1, sizeof(*d));

    if (!d)
        return error_set(err, -ENOMEM, "no memory for the state file");
    *d = (struct state_dir){.fd = -1, .lock_fd = -1, .new_fd = -1};
    d->disk = (struct state_disk){.ctx = d,
                                  .old_bytes = dir_old_bytes,
                                  .old_read = dir_old_read,
                                  .create = dir_create,
                                  .origin = dir_origin,
                                  .old_has_twin = dir_old_has_twin,
                                  .allocate = dir_allocate,
                                  .set_aside = dir_set_aside,
                                  .commit = dir_commit,
                                  .sync = dir_sync,
                                  .close = dir_close};
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = d->fd >= 0 ? lock_take(d, path, err)
                            : error_set(err, -errno, "cannot open --state-dir %s: %s; it must be a directory", path,
                                        strerror(errno));
    if (!failed)
        failed = owner_check(d, path, err);
    if (failed) {
        state_dir_close(d);
        return failed;
    }
    *out = d;
    return 0;
}

void state_dir_close(struct state_dir *d)
{
    if (!d)
        return;
    dir_close(d);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    if (d->fd >= 0)
        close(d->fd);
    free(d);
}

const struct state_disk *state_dir_disk(const struct state_dir *d) { return &d->disk; }

void state_boot_id(char *out, uint64_t bytes)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (!f || !fgets(out, (int)bytes, f))
        snprintf(out, bytes, "unknown");
    out[strcspn(out, "\n")] = '\0';
    if (f)
        fclose(f);
}
