/* Planted: a connection's multishot receive is armed when it is accepted and never again, whatever ended it: a ring of
 * buffers that ran dry, a pause. */
#include "io/uring.h"

#define SLOTS_MAX 65536

void __real_uring_recv_arm(struct uring *u, uint32_t slot);
void __wrap_uring_recv_arm(struct uring *u, uint32_t slot);

void __wrap_uring_recv_arm(struct uring *u, uint32_t slot)
{
    static _Thread_local uint32_t armed[SLOTS_MAX]; /* an engine has a thread: the generation that had its turn */

    if (slot < SLOTS_MAX && armed[slot] == u->slots[slot].generation)
        return;
    if (slot < SLOTS_MAX)
        armed[slot] = u->slots[slot].generation;
    __real_uring_recv_arm(u, slot);
}
