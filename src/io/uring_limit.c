/* What the ring may do is said once, before it is enabled: a ring is a way around seccomp(2), which does not see what
 * goes through it (io_uring_register(2), IORING_REGISTER_RESTRICTIONS; Linux 5.10). */

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/uring.h"

#define ALLOW_SQE(op)                                                                                                  \
    {                                                                                                                  \
        .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = (op)                                                            \
    }
#define ALLOW_REGISTER(op)                                                                                             \
    {                                                                                                                  \
        .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = (op)                                                  \
    }

/* Debian 12's liburing declares the functions for these two and has forgotten to export them. */
static int ring_register(const struct uring *u, unsigned what, const void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, u->ring.ring_fd, what, argument, count) < 0 ? -errno : 0;
}

int uring_limit(struct uring *u)
{
    struct io_uring_restriction allowed[] = {
        ALLOW_SQE(IORING_OP_ACCEPT),
        ALLOW_SQE(IORING_OP_RECV),
        ALLOW_SQE(IORING_OP_SEND),
        ALLOW_SQE(IORING_OP_SHUTDOWN),
        ALLOW_SQE(IORING_OP_CLOSE),
        ALLOW_SQE(IORING_OP_ASYNC_CANCEL),
        ALLOW_SQE(IORING_OP_READ),                    /* the eventfd that wakes */
        ALLOW_SQE(IORING_OP_URING_CMD),               /* options of sockets: who is at the other end */
        ALLOW_REGISTER(IORING_REGISTER_FILES_UPDATE), /* what the kernel had queued at the end of accepting */
        ALLOW_REGISTER(IORING_UNREGISTER_RING_FDS),   /* else the ring outlives io_uring_queue_exit() */
        {.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
         .sqe_flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS},
    };
    int r = ring_register(u, IORING_REGISTER_RESTRICTIONS, allowed, sizeof(allowed) / sizeof(*allowed));
    return r < 0 ? r
                 : ring_register(u, IORING_REGISTER_ENABLE_RINGS, NULL, 0); /* this thread is its single issuer now */
}
