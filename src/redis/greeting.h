#pragma once
/* What a fresh connection says before any work: AUTH, SELECT, CLIENT SETNAME, INFO, MULTI, EXEC.
 *
 * Thread: the link's.
 * The empty MULTI/EXEC proves that this user may run transactions here. INFO replication tells a replica from its
 * primary. A replica is refused as READONLY, because a ledger that is read there may be older than the truth. With
 * any_role it is not, because anybody may be asked for the map of a cluster.
 *
 * A server or user that refuses CLIENT SETNAME or INFO is tolerated. Every other refusal ends the connection. `reason`
 * names the command and the class of the error, and never has the server's words (protocol/words.h). */

#include <stdint.h>

#include "base/buf.h"
#include "redis/error.h"
#include "redis/resp.h"

#define GREETING_STEPS_MAX 7

struct greeting_config {
    const char *user;     /* empty for the default user */
    const char *password; /* NULL for no AUTH */
    uint32_t db;
    bool any_role; /* a replica will do */
    const char *client_name;
};

enum greeting_result { GREETING_GOES_ON, GREETING_DONE, GREETING_REFUSED };

struct greeting {
    uint8_t steps[GREETING_STEPS_MAX];
    uint8_t steps_count, steps_done;
    bool any_role;
    enum redis_error_class error; /* when refused */
    const char *command;          /* likewise, as an ACL rule names it */
    char reason[192];
    struct slice policy; /* maxmemory-policy when it is not noeviction, else empty. In `policy_text` */
    char policy_text[32];
    /* Which history the server's data are of. It is the beginning of its replication id, which changes when a replica
     * is promoted and when a server starts anew. 0: it does not say. Source: INFO, section replication. */
    uint64_t lineage;
};

/* Appends the commands. Returns how many replies they cause. */
uint32_t greeting_compose(struct greeting *g, const struct greeting_config *config, struct buf *out);
enum greeting_result greeting_take(struct greeting *g, const struct reply *reply);
