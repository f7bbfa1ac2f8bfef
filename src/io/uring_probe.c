/* Does io_uring work here? Tried, not guessed: a seccomp profile, a sysctl, a memory limit or an old kernel can each
 * refuse a part of it, and each part is needed. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/uring.h"

static const char message = '!';

/* The engine's own ring and buffers, and a byte through a socket pair into one of them. */
static int receive_one(struct uring *u, int socket)
{
    struct io_uring_cqe *cqe;
    struct __kernel_timespec patience = {.tv_sec = 1};
    int r = io_uring_register_files_update(&u->ring, 0, &socket, 1);
    if (r < 0)
        return r;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    io_uring_prep_recv_multishot(sqe, 0, NULL, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    r = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &patience, NULL);
    if (r < 0)
        return r;
    r = cqe->res;
    return r == 1 && cqe->flags & IORING_CQE_F_BUFFER ? 0 : r < 0 ? r : -EIO;
}

/* The request is read before the descriptor is looked up: a kernel that refuses the limit says EINVAL, one that takes
 * it (Linux 6.17) finds no file. */
void uring_probe_recv_max(struct uring *u)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    io_uring_prep_recv_multishot(sqe, -1, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    sqe->file_index = ENGINE_RECV_MAX;
    if (io_uring_submit_and_wait(&u->ring, 1) < 0 || io_uring_peek_cqe(&u->ring, &cqe) < 0)
        return;
    u->recv_max = cqe->res == -EBADF ? ENGINE_RECV_MAX : 0;
    io_uring_cqe_seen(&u->ring, cqe);
}

int engine_probe_uring(struct error *err)
{
    struct engine_config config = {.conns_max = 1, .recv_buffers = 2, .recv_buffer_bytes = 64};
    struct engine *e;
    int pair[2];
    int r = uring_create(&e, &config, -1, err);
    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        r = -errno;
    } else {
        r = write(pair[1], &message, 1) == 1 ? receive_one(uring_of(e), pair[0]) : -errno;
        close(pair[0]);
        close(pair[1]);
    }
    uring_destroy(e);
    return r < 0 ? error_set(err, r,
                             "io_uring is there, but a multishot receive fails (%s): Linux 6.1 or newer is needed",
                             strerror(-r))
                 : 0;
}
