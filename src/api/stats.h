#pragma once
/* What the api counts. Each worker has such a struct. Only that worker writes it, and any thread reads it (stat_read).
 * admin/balance.h says what readers may conclude from them while hits come in. */

#include <stdint.h>

/* Why a hit was not counted. It is the label `reason` of hits_refused_total, and stands in X-Hit-Status. */
#define API_REFUSALS(REFUSAL)                                                                                          \
    REFUSAL(KEY_LIMIT, "key_limit")                                                                                    \
    REFUSAL(NAMESPACE_KEYS, "namespace_keys")                                                                          \
    REFUSAL(NEW_KEY_RATE, "new_key_rate")                                                                              \
    REFUSAL(NO_SUCH_NAMESPACE, "no_such_namespace")                                                                    \
    REFUSAL(STATE_FULL, "state_full")                                                                                  \
    REFUSAL(OVERFLOW, "overflow")                                                                                      \
    REFUSAL(BAD_NAMESPACE, "bad_namespace")                                                                            \
    REFUSAL(BAD_KEY, "bad_key")                                                                                        \
    REFUSAL(NO_KEY, "no_key")                                                                                          \
    REFUSAL(TOO_LONG, "too_long")                                                                                      \
    REFUSAL(BAD_ESCAPE, "bad_escape")                                                                                  \
    REFUSAL(BAD_N, "bad_n")                                                                                            \
    REFUSAL(BAD_QUERY, "bad_query")                                                                                    \
    REFUSAL(BAD_LABEL, "bad_label")                                                                                    \
    REFUSAL(BAD_COLOR, "bad_color")                                                                                    \
    REFUSAL(BAD_FORMAT, "bad_format")                                                                                  \
    REFUSAL(BAD_BODY, "bad_body")                                                                                      \
    REFUSAL(UNKNOWN_MEMBER, "unknown_member")                                                                          \
    REFUSAL(KEY_NOT_ALLOWED, "key_not_allowed")                                                                        \
    REFUSAL(ORIGIN, "origin")                                                                                          \
    REFUSAL(TOKEN, "token")                                                                                            \
    REFUSAL(RATE, "rate")                                                                                              \
    REFUSAL(PREFETCH, "prefetch")                                                                                      \
    REFUSAL(GPC, "gpc")                                                                                                \
    REFUSAL(DNT, "dnt")                                                                                                \
    REFUSAL(BOT, "bot")                                                                                                \
    REFUSAL(HEAD, "head")

#define API_REFUSAL_INDEX(name, text) API_REFUSED_##name,
enum api_refusal {
    API_REFUSALS(API_REFUSAL_INDEX) API_REFUSAL_KINDS,
    API_ALLOWED = API_REFUSAL_KINDS, /* no refusal at all */
};
#undef API_REFUSAL_INDEX

/* What became of a PUT or DELETE. It is the label `result` of seeds_total. */
enum api_write { API_WRITE_DONE, API_WRITE_REFUSED, API_WRITE_IN_DOUBT, API_WRITE_KINDS };

#define API_RESPONSE_CLASSES 6 /* the index is status / 100, and 0 is not used */
#define API_BAD_REASONS_MAX 48

/* A reason token of the http layer (static text) and how often it came. */
struct api_bad_reason {
    const char *token; /* published with store_release_ptr(). NULL in the first one that is unused */
    uint64_t count;
};

struct api_stats {
    uint64_t hits_accepted; /* sum of n */
    uint64_t streams_open;  /* a gauge */
    uint64_t streams_opened, streams_refused, stream_events;
    uint64_t reads_busy; /* questions that were not asked of the store, because their budget was used up */
    uint64_t hits_refused[API_REFUSAL_KINDS];
    uint64_t responses[API_RESPONSE_CLASSES];
    uint64_t writes[API_WRITE_KINDS];
    uint64_t keys_listed, exports,
        exports_cut; /* names that were shown, answers that were begun, and those that were cut short */
    struct api_bad_reason bad_requests[API_BAD_REASONS_MAX]; /* those that could not be read */
};
