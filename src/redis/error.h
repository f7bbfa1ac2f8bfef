#pragma once
/* Tells from the text of an error reply what kind of refusal it is (protocol/redis_error.h).
 *
 * Thread: a pure function.
 * Source: the first word of an error reply (Redis protocol specification, "Simple errors"), and the texts after ERR and
 * NOPERM as Redis 5…8, Valkey 7…8 and MemoryDB write them. */

#include "base/slice.h"
#include "protocol/redis_error.h"

/* A refusal, for those who tell it. */
struct redis_refusal {
    enum redis_error_class class;
    const char *command; /* what was refused, as an ACL rule names it: "watch", "client|setname" */
    const char *words;   /* the server's own, or empty when there are none or they may hold a secret */
};

/* `text` is the error line without its '-'. */
enum redis_error_class redis_error_classify(struct slice text);
