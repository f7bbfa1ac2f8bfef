/* The one place where a connection moves from state to state. net/conns.h has the picture. */

#include <assert.h>

#include "net/conns.h"

static const bool may_move[CONN_STATES][CONN_STATES] = {
    [CONN_FREE] = {[CONN_HEAD] = true},
    [CONN_HEAD] =
        {[CONN_BODY] = true, [CONN_WAITING] = true, [CONN_STREAM] = true, [CONN_LAST] = true, [CONN_CLOSING] = true},
    [CONN_BODY] =
        {[CONN_HEAD] = true, [CONN_WAITING] = true, [CONN_STREAM] = true, [CONN_LAST] = true, [CONN_CLOSING] = true},
    [CONN_WAITING] =
        {[CONN_HEAD] = true, [CONN_WAITING] = true, [CONN_STREAM] = true, [CONN_LAST] = true, [CONN_CLOSING] = true},
    [CONN_STREAM] = {[CONN_LAST] = true, [CONN_CLOSING] = true},
    [CONN_LAST] = {[CONN_LINGER] = true, [CONN_CLOSING] = true},
    [CONN_LINGER] = {[CONN_CLOSING] = true},
    [CONN_CLOSING] = {[CONN_FREE] = true},
};

/* What must hold in each state. */
static bool conn_holds(const struct conn *c)
{
    const struct partial *p = c->partial;

    switch ((enum conn_state)c->state) {
    case CONN_FREE: return !p && !c->carry.data && !c->out.data && !c->sending.data;
    case CONN_HEAD:
    case CONN_BODY:
    case CONN_LAST: return !p || (!p->waiting && !p->stream); /* the handler has nothing that would have to go */
    case CONN_WAITING: return p && !p->stream;
    case CONN_STREAM: return p && p->stream;
    case CONN_LINGER: return c->linger && !c->peer_fin && !c->sending.data && c->out.bytes == 0;
    case CONN_CLOSING: return true; /* from any state, whatever it had */
    case CONN_STATES: break;
    }
    return false;
}

void conn_move(struct conn *c, enum conn_state to)
{
    assert(may_move[c->state][to]);
    c->state = to;
    assert(conn_holds(c));
}
