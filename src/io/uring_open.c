/* Opening and closing what the io_uring engine needs, with a sentence for every way that it can be refused. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/poison.h"
#include "io/uring.h"

#define SQ_ENTRIES 1024
#define CQ_ENTRIES 8192

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

static int explain(struct error *err, int r)
{
    switch (-r) {
    case EPERM:
        return error_set(err, r,
                         "io_uring is denied here (EPERM): allow it in the container's seccomp profile "
                         "(deploy/seccomp/tallyd.json) or set sysctl kernel.io_uring_disabled=0");
    case ENOSYS: return error_set(err, r, "this kernel has no io_uring (ENOSYS): Linux 6.1 or newer is needed");
    case ENOMEM:
        return error_set(err, r,
                         "io_uring: not enough locked memory (ENOMEM): raise RLIMIT_MEMLOCK (ulimit -l) or "
                         "lower --max-conns");
    case EMFILE:
        return error_set(err, r,
                         "io_uring: too few descriptors (EMFILE): raise RLIMIT_NOFILE (ulimit -n) above "
                         "--max-conns, or lower --max-conns");
    case EINVAL: return error_set(err, r, "this kernel's io_uring is too old (EINVAL): Linux 6.1 or newer is needed");
    default: return error_set(err, r, "io_uring: %s", strerror(-r));
    }
}

/* Newest flags first; a kernel that does not know one says EINVAL. */
static int ring_open(struct io_uring *ring)
{
    static const unsigned peel[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, /* Linux 6.1 */
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,  /* 6.0 */
        0,
    };
    int r = -EINVAL;
    for (size_t i = 0; i < sizeof peel / sizeof *peel && r == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags =
                peel[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
            .cq_entries = CQ_ENTRIES,
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

static int descriptors_open(struct uring *u, const struct engine_config *config)
{
    u->direct = !engine_takes_descriptors(config->kind, config->peers);
    if (u->direct)
        return io_uring_register_files_sparse(&u->ring, config->conns_max);
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
    free(u->vacant);
    free(u->closing);
    free(u->rearm);
    free(u->slots);
    free(u);
}

int uring_create(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err)
{
    struct uring *u = calloc(1, sizeof *u);
    (void)wake_fd; /* read by uring_run() */
    if (!u)
        return explain(err, -ENOMEM);
    u->base.config = *config;
    u->slots = calloc(config->conns_max, sizeof *u->slots);
    u->rearm = calloc(config->conns_max, sizeof *u->rearm);
    u->closing = calloc(config->conns_max, sizeof *u->closing);
    u->vacant = calloc(config->conns_max, sizeof *u->vacant);
    int r = u->slots && u->rearm && u->closing && u->vacant ? ring_open(&u->ring) : -ENOMEM;
    if (r < 0) {
        uring_free(u, config);
        return explain(err, r);
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
        return explain(err, r);
    }
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
