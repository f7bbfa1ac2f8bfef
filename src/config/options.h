#pragma once
/* What the administrator asked for (options_table.h). A flag wins over the environment, the environment over the file,
 * and the file over the default.
 *
 * Thread: filled by main before any other thread runs. Constant from then on, and any thread reads it.
 * Happy path: options_load() gathers the text of each option from all sources, then turns it into values.
 * Failure: the first text that is not understood ends it with one sentence that names the option, where it
 * came from, the text (never a secret) and what is allowed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/options_table.h"
#include "config/value.h"
#include "redis/url.h"

/* The values, by type. */
#define OPTION_C_STRING const char *
#define OPTION_C_SECRET const char *
#define OPTION_C_FILE const char *
#define OPTION_C_FOLDER const char *
#define OPTION_C_HELP const char *
#define OPTION_C_ADDRESS struct address
#define OPTION_C_REDIS_URL struct redis_url
#define OPTION_C_DURATION uint64_t
#define OPTION_C_SIZE uint64_t
#define OPTION_C_COUNT uint64_t
#define OPTION_C_ENUM uint32_t
#define OPTION_C_BOOL bool

enum option_type {
    OPTION_STRING,
    OPTION_SECRET,
    OPTION_FILE,
    OPTION_FOLDER,
    OPTION_HELP,
    OPTION_ADDRESS,
    OPTION_REDIS_URL,
    OPTION_DURATION,
    OPTION_SIZE,
    OPTION_COUNT,
    OPTION_ENUM,
    OPTION_BOOL,
};

#define OPTION_INDEX(group, name, field, ...) OPTION_INDEX_##field,
enum option_index { OPTIONS_TABLE(OPTION_INDEX) OPTIONS };
#undef OPTION_INDEX

/* --io, as the table lists its values. */
enum { OPTION_IO_AUTO, OPTION_IO_URING, OPTION_IO_EPOLL };
enum { OPTION_DEFER_ACCEPT_OFF, OPTION_DEFER_ACCEPT_ON };
enum { OPTION_REDIS_AUTH_PASSWORD, OPTION_REDIS_AUTH_IAM };
enum { OPTION_PROXY_PROTOCOL_OFF, OPTION_PROXY_PROTOCOL_V2 };
enum { OPTION_SANDBOX_AUTO, OPTION_SANDBOX_OFF };
enum { OPTION_REDIS_STANDALONE, OPTION_REDIS_CLUSTER };
enum { OPTION_REPARTITION_FINISH_NO, OPTION_REPARTITION_FINISH_KEEP, OPTION_REPARTITION_FINISH_REMOVE };

/* One row of the table. */
struct option {
    const char *group, *name, *fallback, *argument, *help;
    enum option_type type;
    unsigned sources;
    uint64_t min, max;
    size_t offset; /* of the value in struct options */
};

/* The text of an option and where it came from. */
struct option_text {
    const char *text;
    unsigned source; /* SOURCE_*, or 0 for the default */
    uint32_t line;   /* in the file */
};

struct options {
#define OPTION_FIELD(group, name, field, type, ...) OPTION_C_##type field;
    OPTIONS_TABLE(OPTION_FIELD)
#undef OPTION_FIELD
    struct option_text texts[OPTIONS];
    char *file; /* the configuration file, owned. Texts point into it */
};

/* 0 or -EINVAL. The texts point into argv and environment, which must outlive the options.
 * With --help or --version nothing else is read and no values are made. */
int options_load(struct options *o, int argc, const char *const *argv, const char *const *environment,
                 struct error *err);
void options_fini(struct options *o);

/* Does anything depend on who is at the other end of a connection? */
static inline bool options_want_peers(const struct options *o)
{
    return o->rate_limit > 0 || o->max_conns_client > 0 || o->proxy_protocol == OPTION_PROXY_PROTOCOL_V2;
}

const struct option *option_at(enum option_index index);
/* Returns the text of an option, fit to be shown. Of a secret it tells only whether it is set. */
const char *option_shown(const struct options *o, enum option_index index);
#define OPTION_ENV_BYTES 64
void option_env_name(const struct option *option, char out[OPTION_ENV_BYTES]);
/* "default", "--listen", "TALLYD_LISTEN", "/etc/tallyd.conf:3". */
void option_origin(const struct options *o, enum option_index index, struct buf *out);
