/* The operations that the engine asks of the kernel, each with its tag. */

#include <sys/socket.h>

#include "io/uring.h"

static struct io_uring_sqe *sqe_get(struct uring *u)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    while (!sqe) { /* full: hand over what is there; EBUSY and EINTR pass */
        io_uring_submit(&u->ring);
        sqe = io_uring_get_sqe(&u->ring);
    }
    return sqe;
}

static struct io_uring_sqe *sqe_on_slot(struct uring *u, struct io_uring_sqe *sqe, enum op op, uint32_t slot)
{
    if (u->direct)
        sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, slot_tag(u, op, slot));
    return sqe;
}

/* A multishot accept drops what finds no slot; see uring_accept.c for when it may be used. */
void uring_accept_arm(struct uring *u, bool multishot)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    int flags = u->direct ? 0 : SOCK_CLOEXEC; /* a direct descriptor is not inherited, and refuses the flag */
    if (multishot)
        io_uring_prep_multishot_accept(sqe, u->base.config.listen_fd, NULL, NULL, flags);
    else
        io_uring_prep_accept(sqe, u->base.config.listen_fd, NULL, NULL, flags);
    if (u->direct)
        sqe->file_index = IORING_FILE_INDEX_ALLOC; /* liburing 2.3 cannot say so in a single accept */
    io_uring_sqe_set_data64(sqe, tag_make(OP_ACCEPT, 0, 0));
    u->accept_in_flight = true;
}

void uring_shutdown_arm(struct uring *u, uint32_t slot)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_shutdown(sqe, u->slots[slot].fd, SHUT_WR);
    sqe_on_slot(u, sqe, OP_SHUTDOWN, slot);
    u->slots[slot].in_flight++;
}

void uring_close_arm(struct uring *u, uint32_t slot)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    if (u->direct)
        io_uring_prep_close_direct(sqe, slot);
    else
        io_uring_prep_close(sqe, u->slots[slot].fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, tag_make(OP_CANCEL_OR_CLOSE, 0, 0));
}

void uring_recv_arm(struct uring *u, uint32_t slot)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_recv_multishot(sqe, u->slots[slot].fd, NULL, 0, 0);
    sqe_on_slot(u, sqe, OP_RECV, slot);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    sqe->file_index = u->recv_max; /* `optlen`, for which liburing 2.3 has no name */
    u->slots[slot].flags |= SLOT_RECV_ARMED;
}

/* getsockopt(2) of SO_PEERNAME by the ring (Linux 6.7); liburing 2.3 has no names for it. */
void uring_peer_arm(struct uring *u, uint32_t slot)
{
    enum { GETSOCKOPT = 2 }; /* SOCKET_URING_OP_GETSOCKOPT */
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_rw(IORING_OP_URING_CMD, sqe, u->slots[slot].fd, NULL, 0, GETSOCKOPT);
    sqe_on_slot(u, sqe, OP_PEER, slot);
    sqe->addr = SOL_SOCKET | (uint64_t)SO_PEERNAME << 32; /* `level` and `optname` */
    sqe->file_index = u->peer_bytes;                      /* `optlen` */
    sqe->addr3 = (uintptr_t)&u->peers[slot];              /* `optval` */
}

void uring_send_arm(struct uring *u, uint32_t slot)
{
    struct slot *s = &u->slots[slot];
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_send(sqe, s->fd, s->send_data, s->send_bytes, MSG_WAITALL | MSG_NOSIGNAL);
    sqe_on_slot(u, sqe, OP_SEND, slot);
    s->in_flight++;
}

void uring_wake_arm(struct uring *u)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_read(sqe, u->base.wake_fd, &u->wake_value, sizeof(u->wake_value), 0);
    io_uring_sqe_set_data64(sqe, tag_make(OP_WAKE, 0, 0));
}

void uring_cancel(struct uring *u, uint64_t tag)
{
    struct io_uring_sqe *sqe = sqe_get(u);
    io_uring_prep_cancel64(sqe, tag, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, tag_make(OP_CANCEL_OR_CLOSE, 0, 0));
}
