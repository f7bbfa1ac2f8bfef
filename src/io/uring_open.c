/* Opening and closing what the io_uring engine needs, with a sentence for every way that it can be refused. */

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/poison.h"
#include "io/uring.h"

#define SQ_ENTRIES 1024
#define CQ_ENTRIES 8192
#define CQ_ENTRIES_SMALL 1024
#define MEMORY_RETRY_MS 10

void uring_buffer_return(struct uring *u, unsigned id)
{
    char *data = u->buffers + (size_t)id * u->base.config.recv_buffer_bytes;
    poison(data, u->base.config.recv_buffer_bytes);
    io_uring_buf_ring_add(u->buf_ring, data, u->base.config.recv_buffer_bytes, (unsigned short)id,
                          io_uring_buf_ring_mask(u->base.config.recv_buffers), (int)u->buffers_back++);
}

void uring_buffers_publish(struct uring *u)
{
    if (u->buffers_back > 0)
        io_uring_buf_ring_advance(u->buf_ring, (int)u->buffers_back);
    u->buffers_back = 0;
}

/* The limit that rings count against, in KiB; 0: none does. Rings count for a process without CAP_IPC_LOCK, up to
 * Linux 5.11 and again from 6.14 on, together with those of its user's other processes (github.com/axboe/liburing,
 * issue 1408). */
static uint64_t locked_memory_limit_kib(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct rlimit limit;
    bool known = syscall(SYS_capget, &header, caps) == 0;
    if (known && caps[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK))
        return 0;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    return limit.rlim_cur / 1024 + 1;
}

static int explain_memory(struct error *err)
{
    uint64_t limit_kib = locked_memory_limit_kib();
    if (limit_kib > 0)
        return error_set(err, -ENOMEM,
                         "io_uring: not enough locked memory (ENOMEM): RLIMIT_MEMLOCK allows %llu KiB for all rings of "
                         "this user on this machine: raise it (ulimit -l, LimitMEMLOCK=), lower --workers, or say "
                         "--io epoll",
                         (unsigned long long)limit_kib - 1);
    return error_set(err, -ENOMEM,
                     "io_uring: the kernel finds no memory for a ring (ENOMEM): its memory is short or fragmented, no "
                     "limit of this process is met: free some, lower --workers, or say --io epoll");
}

static int explain(struct error *err, int r)
{
    switch (-r) {
    case EPERM:
        return error_set(err, r,
                         "io_uring is denied here (EPERM): allow it in the container's seccomp profile "
                         "(deploy/seccomp/tallyd.json) or set sysctl kernel.io_uring_disabled=0");
    case ENOSYS: return error_set(err, r, "this kernel has no io_uring (ENOSYS): Linux 6.1 or newer is needed");
    case ENOMEM: return explain_memory(err);
    case EMFILE:
        return error_set(err, r,
                         "io_uring: too few descriptors (EMFILE): raise RLIMIT_NOFILE (ulimit -n) above "
                         "--max-conns, or lower --max-conns");
    case EINVAL: return error_set(err, r, "this kernel's io_uring is too old (EINVAL): Linux 6.1 or newer is needed");
    default: return error_set(err, r, "io_uring: %s", strerror(-r));
    }
}

/* Newest flags first; a kernel that does not know one says EINVAL. */
static int ring_open(struct io_uring *ring, unsigned cq_entries)
{
    static const unsigned peel[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, /* Linux 6.1 */
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,  /* 6.0 */
        0,
    };
    int r = -EINVAL;
    for (size_t i = 0; i < sizeof(peel) / sizeof(*peel) && r == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags =
                peel[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
            .cq_entries = cq_entries,
        };
        r = io_uring_queue_init_params(SQ_ENTRIES, ring, &params);
    }
    return r;
}

static int buffers_open(struct uring *u, const struct engine_config *config)
{
    size_t ring_bytes = config->recv_buffers * sizeof(struct io_uring_buf);
    size_t data_bytes = (size_t)config->recv_buffers * config->recv_buffer_bytes;
    /* Page aligned, and zero until used. */
    void *memory = mmap(NULL, ring_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    u->buf_ring = memory;
    u->buffers = (char *)memory + ring_bytes;
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)memory, .ring_entries = config->recv_buffers, .bgid = URING_BUFFER_GROUP};
    int r = io_uring_register_buf_ring(&u->ring, &reg, 0);
    if (r < 0)
        return r;
    io_uring_buf_ring_init(u->buf_ring);
    for (uint32_t i = 0; i < config->recv_buffers; i++)
        uring_buffer_return(u, i);
    uring_buffers_publish(u);
    return 0;
}

/* Without memory, or a listener of the internet's, nobody is told who is there. */
static void peers_open(struct uring *u, const struct engine_config *config)
{
    struct sockaddr_storage own;
    socklen_t bytes = sizeof(own);
    if (getsockname(config->listen_fd, (struct sockaddr *)&own, &bytes) == 0 && bytes <= sizeof(*u->peers)) {
        u->peer_bytes = bytes;
        u->peers = calloc(config->conns_max, sizeof(*u->peers));
    }
}

static int descriptors_open(struct uring *u, const struct engine_config *config)
{
    u->direct = !engine_takes_descriptors(config->kind, config->peers);
    if (u->direct) {
        peers_open(u, config);
        return io_uring_register_files_sparse(&u->ring, config->conns_max);
    }
    for (uint32_t i = config->conns_max; i > 0; i--) /* the first is taken first */
        u->vacant[u->vacant_count++] = i - 1;
    return 0;
}

static void uring_free(struct uring *u, const struct engine_config *config)
{
    if (u->buf_ring) {
        size_t data_bytes = (size_t)config->recv_buffers * config->recv_buffer_bytes;
        unpoison(u->buffers, data_bytes);
        munmap(u->buf_ring, config->recv_buffers * sizeof(struct io_uring_buf) + data_bytes);
    }
    for (uint32_t i = 0; !u->direct && u->slots && i < config->conns_max; i++)
        if (u->slots[i].flags)
            close(u->slots[i].fd);
    free(u->peers);
    free(u->vacant);
    free(u->closing);
    free(u->rearm);
    free(u->slots);
    free(u);
}

static bool tables_open(struct uring *u, uint32_t conns_max)
{
    u->slots = calloc(conns_max, sizeof(*u->slots));
    u->rearm = calloc(conns_max, sizeof(*u->rearm));
    u->closing = calloc(conns_max, sizeof(*u->closing));
    u->vacant = calloc(conns_max, sizeof(*u->vacant));
    return u->slots && u->rearm && u->closing && u->vacant;
}

/* 0, or -errno and nothing is left open. */
static int uring_open(struct uring **out, const struct engine_config *config)
{
    struct uring *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->base.config = *config;
    int r = -ENOMEM;
    if (tables_open(u, config->conns_max))
        r = ring_open(&u->ring, config->small_rings ? CQ_ENTRIES_SMALL : CQ_ENTRIES);
    if (r < 0) {
        uring_free(u, config);
        return r;
    }
    r = descriptors_open(u, config);
    if (r == 0)
        r = buffers_open(u, config);
    if (r == 0) {
        io_uring_register_ring_fd(&u->ring); /* saves a descriptor look-up a call; fine without */
        r = uring_limit(u);
    }
    if (r < 0) {
        io_uring_queue_exit(&u->ring);
        uring_free(u, config);
        return r;
    }
    *out = u;
    return 0;
}

/* Memory for a ring may be there a moment later: what ended rings held comes back late, and fragmented memory refuses
 * a ring now and then (github.com/axboe/liburing, issue 1614). */
static int uring_open_patiently(struct uring **out, const struct engine_config *config)
{
    const struct timespec pause = {.tv_nsec = MEMORY_RETRY_MS * 1000000L};
    uint64_t until_ms = clock_mono_ms() + ENGINE_MEMORY_WAIT_MS;
    int r;
    while ((r = uring_open(out, config)) == -ENOMEM && clock_mono_ms() < until_ms)
        nanosleep(&pause, NULL);
    return r;
}

int uring_create(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err)
{
    struct uring *u;
    (void)wake_fd; /* read by uring_run() */
    int r = uring_open_patiently(&u, config);
    if (r < 0)
        return explain(err, r);
    uring_probe_recv_max(u);
    *out = &u->base;
    return 0;
}

void uring_destroy(struct engine *e)
{
    struct uring *u = uring_of(e);
    io_uring_queue_exit(&u->ring); /* ends what is in flight before its memory goes */
    uring_free(u, &e->config);
}
