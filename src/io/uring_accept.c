/* Accepting with io_uring: many at once while there is room, one by one when there is little, none when there is none.
 */

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/uring.h"
#include "sync/atomic.h"

static uint32_t slots_free(const struct uring *u) { return u->base.config.conns_max - u->open; }

/* A multishot accept takes all that the kernel has queued, and drops what finds no slot. So it is used only while
 * there is room for a whole queue; with less, connections are fetched one by one and the rest may wait. */
static void accept_arm(struct uring *u)
{
    uring_accept_arm(u, slots_free(u) > LISTEN_BACKLOG);
    u->accept = ACCEPT_ARMED;
}

void uring_accept_begin(struct uring *u) { accept_arm(u); }

static void slot_accepted(struct uring *u, uint32_t slot, int fd)
{
    struct slot *s = &u->slots[slot];
    assert(s->flags == 0 && s->in_flight == 0);
    *s = (struct slot){.generation = s->generation, .flags = SLOT_OPEN, .fd = fd};
    u->open++;
    stat_add(&u->base.stats.accepts, 1);
    uring_recv_arm(u, slot);
    u->base.events->accepted(u->base.ctx, slot);
}

static void fd_accepted(struct uring *u, int fd)
{
    if (u->vacant_count > 0) {
        slot_accepted(u, u->vacant[--u->vacant_count], fd);
    } else { /* more than a whole queue came while a multishot accept was being cancelled */
        stat_add(&u->base.stats.accept_errors, 1);
        close(fd);
    }
}

/* An ordinary descriptor moves into the ring; slots below `slot` are known to be taken. */
static uint32_t fd_made_direct(struct uring *u, int fd, uint32_t slot)
{
    while (slot < u->base.config.conns_max && u->slots[slot].flags)
        slot++;
    if (slot < u->base.config.conns_max && io_uring_register_files_update(&u->ring, slot, &fd, 1) == 1)
        slot_accepted(u, slot, (int)slot);
    else
        stat_add(&u->base.stats.accept_errors, 1);
    close(fd);
    return slot;
}

static void accept_pause(struct uring *u)
{
    u->accept = ACCEPT_PAUSED;
    stat_add(&u->base.stats.accept_pauses, 1);
}

void uring_accept_retry(struct uring *u)
{
    if (u->accept == ACCEPT_PAUSED && slots_free(u) > 0)
        accept_arm(u);
}

/* The accept has ended: what the kernel has queued by now is fetched by hand, then that is all. */
static void accept_drain(struct uring *u)
{
    uint32_t slot = 0;
    int fd;
    u->accept = ACCEPT_ENDED;
    io_uring_submit(&u->ring); /* closes that are only prepared would close the next in their slots */
    while ((fd = accept4(u->base.config.listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (u->direct)
            slot = fd_made_direct(u, fd, slot);
        else
            fd_accepted(u, fd);
    }
    u->base.events->accept_ended(u->base.ctx);
}

static bool is_shortage(int error)
{
    return error == -ENFILE || error == -EMFILE || error == -ENOMEM || error == -ENOBUFS;
}

void uring_accept_completed(struct uring *u, const struct io_uring_cqe *cqe)
{
    int res = cqe->res;
    u->accept_in_flight = cqe->flags & IORING_CQE_F_MORE;
    if (res >= 0 && u->direct)
        slot_accepted(u, (uint32_t)res, res);
    else if (res >= 0)
        fd_accepted(u, res);
    else if (res != -ECANCELED)
        stat_add(&u->base.stats.accept_errors, 1);
    if (u->accept_in_flight) {
        if (slots_free(u) == LISTEN_BACKLOG)
            uring_cancel(u, tag_make(OP_ACCEPT, 0, 0)); /* on with single ones */
    } else if (u->accept == ACCEPT_STOPPING) {
        accept_drain(u);
    } else if (slots_free(u) == 0 || is_shortage(res)) {
        accept_pause(u); /* armed now it would fail again at once, and spin */
    } else {
        accept_arm(u);
    }
}

void uring_accept_stop(struct engine *e)
{
    struct uring *u = uring_of(e);
    if (u->accept == ACCEPT_STOPPING || u->accept == ACCEPT_ENDED)
        return;
    u->accept = ACCEPT_STOPPING;
    if (u->accept_in_flight)
        uring_cancel(u, tag_make(OP_ACCEPT, 0, 0));
    else
        accept_drain(u);
}
