#pragma once
/* Why a hit is not counted. */

/* The name of each, and its text. It is the label `reason` of hits_refused_total, and stands in X-Hit-Status. */
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
