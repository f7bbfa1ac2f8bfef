#include "redis/error.h"

struct class_row {
    const char *starts; /* how the line begins; NULL: not told by its beginning */
    const char *holds;  /* and what else it must contain; NULL: nothing */
};

/* The first row that fits wins: a NOPERM about a key must be asked for before NOPERM as such. */
static const struct class_row rows[REDIS_ERROR_COUNT] = {
    [REDIS_ERROR_MOVED] = {"MOVED ", NULL},
    [REDIS_ERROR_ASK] = {"ASK ", NULL},
    [REDIS_ERROR_TRYAGAIN] = {"TRYAGAIN", NULL},
    [REDIS_ERROR_CLUSTERDOWN] = {"CLUSTERDOWN", NULL},
    [REDIS_ERROR_CROSSSLOT] = {"CROSSSLOT", NULL},
    [REDIS_ERROR_LOADING] = {"LOADING", NULL},
    [REDIS_ERROR_READONLY] = {"READONLY", NULL},
    [REDIS_ERROR_OOM] = {"OOM", NULL},
    [REDIS_ERROR_BUSY] = {"BUSY", NULL},
    [REDIS_ERROR_MASTERDOWN] = {"MASTERDOWN", NULL},
    [REDIS_ERROR_NOREPLICAS] = {"NOREPLICAS", NULL},
    [REDIS_ERROR_MISCONF] = {"MISCONF", NULL},
    [REDIS_ERROR_NOAUTH] = {"NOAUTH", NULL},
    [REDIS_ERROR_WRONGPASS] = {"WRONGPASS", NULL},
    [REDIS_ERROR_NOPERM] = {"NOPERM", " run "},
    [REDIS_ERROR_NOPERM_KEY] = {"NOPERM", " key"},
    [REDIS_ERROR_EXECABORT] = {"EXECABORT", NULL},
    [REDIS_ERROR_WRONGTYPE] = {"WRONGTYPE", NULL},
    [REDIS_ERROR_NOT_INTEGER] = {"ERR", "value is not an integer"},
    [REDIS_ERROR_OVERFLOW] = {"ERR", "would overflow"},
    [REDIS_ERROR_UNKNOWN_COMMAND] = {"ERR", "nknown command"},
    [REDIS_ERROR_PROTECTED] = {"DENIED", NULL},
    [REDIS_ERROR_MAX_CLIENTS] = {"ERR max number of clients", NULL},
    [REDIS_ERROR_NO_CLUSTER] = {"ERR This instance has cluster support disabled", NULL},
    [REDIS_ERROR_DATABASE] = {"ERR", "DB index"},
    [REDIS_ERROR_AUTH_UNWANTED] = {"ERR", "no password is set"},
};

static bool text_starts(struct slice text, const char *start)
{
    size_t bytes = strlen(start);

    return text.bytes >= bytes && memcmp(text.at, start, bytes) == 0;
}

static bool row_fits(const struct class_row *row, struct slice text)
{
    if (!row->starts || !text_starts(text, row->starts))
        return false;
    return !row->holds || memmem(text.at, text.bytes, row->holds, strlen(row->holds));
}

/* "EXECABORT Transaction discarded because of: NOPERM …": of EXEC itself, not of what was queued. */
static struct slice text_of_cause(struct slice text)
{
    static const struct slice because = {" because of: ", 13};
    const char *at = text_starts(text, "EXECABORT") ? memmem(text.at, text.bytes, because.at, because.bytes) : NULL;

    if (!at)
        return text;
    at += because.bytes;
    return (struct slice){at, (size_t)(text.at + text.bytes - at)};
}

enum redis_error_class redis_error_classify(struct slice whole)
{
    struct slice text = text_of_cause(whole);

    for (enum redis_error_class c = REDIS_ERROR_NONE; c < REDIS_ERROR_COUNT; c++) {
        if (row_fits(&rows[c], text))
            return c;
    }
    /* Redis before 6 says "ERR invalid password", in a cluster the second of these; some NOPERM texts name neither
     * command nor key. */
    if (text_starts(text, "ERR invalid password"))
        return REDIS_ERROR_WRONGPASS;
    if (text_starts(text, "ERR AUTH <password> called without any password"))
        return REDIS_ERROR_AUTH_UNWANTED;
    if (text_starts(text, "ERR SELECT is not allowed"))
        return REDIS_ERROR_DATABASE;
    if (text_starts(text, "ERR unknown subcommand") || text_starts(text, "ERR Unknown subcommand"))
        return REDIS_ERROR_UNKNOWN_COMMAND;
    return text_starts(text, "NOPERM") ? REDIS_ERROR_NOPERM : REDIS_ERROR_OTHER;
}
