#pragma once
/* Who may do what, and whose hits are not wanted. It is made of files that main reads again when they change, one whole
 * policy after the other.
 *
 * Thread: made by main, then read only. A worker looks at the one that it took last, so that a request needs no
 * shared word. Main frees the one before when every worker has taken the new one (api_publish()). */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "policy/reason.h"

struct access; /* policy/access.h */
struct bots;   /* policy/bots.h */
struct http_request;
struct tokens; /* policy/tokens.h */

enum policy_filter { FILTER_PREFETCH = 1, FILTER_GPC = 2, FILTER_DNT = 4 };

/* Each is made of a file of its own. */
enum policy_part { POLICY_TOKENS, POLICY_ACCESS, POLICY_BOTS, POLICY_PARTS };

struct policy {
    struct tokens *tokens; /* owned, or NULL when nobody may write counters */
    struct access *access; /* owned, or NULL when every namespace takes every hit */
    struct bots *bots;     /* owned, or NULL when none is known */
    unsigned filters;      /* enum policy_filter */
    /* Only main looks at these. */
    bool handed_over[POLICY_PARTS]; /* the next policy owns it, and workers of this one may still read it */
};

void policy_destroy(struct policy *p); /* NULL is allowed */
/* Lets `to` own a part of `from`, which goes on pointing to it. */
void policy_hand_over(struct policy *from, struct policy *to, enum policy_part part);
/* Returns how many tokens, rules or words it has, or 0 when there is no such part. */
uint32_t policy_count(const struct policy *p, enum policy_part part);
/* Reads "prefetch,gpc,dnt", or some of them. Returns them as bits, or -EINVAL when there is another word. */
int policy_filters_parse(const char *list);
/* Returns API_ALLOWED when the hit may be counted. */
enum api_refusal policy_check(const struct policy *p, const struct http_request *r, struct slice name);
