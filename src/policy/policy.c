#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/list.h"
#include "policy/access.h"
#include "policy/bots.h"
#include "policy/tokens.h"

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    if (!p->handed_over[POLICY_BOTS])
        bots_destroy(p->bots);
    if (!p->handed_over[POLICY_ACCESS])
        access_destroy(p->access);
    if (!p->handed_over[POLICY_TOKENS])
        tokens_destroy(p->tokens);
    free(p);
}

void policy_hand_over(struct policy *from, struct policy *to, enum policy_part part)
{
    switch (part) {
    case POLICY_TOKENS: to->tokens = from->tokens; break;
    case POLICY_ACCESS: to->access = from->access; break;
    case POLICY_BOTS: to->bots = from->bots; break;
    case POLICY_PARTS: return;
    }
    from->handed_over[part] = true;
}

uint32_t policy_count(const struct policy *p, enum policy_part part)
{
    switch (part) {
    case POLICY_TOKENS: return p->tokens ? tokens_count(p->tokens) : 0;
    case POLICY_ACCESS: return p->access ? access_count(p->access) : 0;
    case POLICY_BOTS: return p->bots ? bots_count(p->bots) : 0;
    case POLICY_PARTS: break;
    }
    return 0;
}

int policy_filters_parse(const char *list)
{
    static const char *const words[] = {"prefetch", "gpc", "dnt"};
    int filters = 0;
    while (*list != '\0') {
        size_t bytes = strcspn(list, ","), at = 0;
        while (at < 3 && (strlen(words[at]) != bytes || strncmp(list, words[at], bytes) != 0))
            at++;
        if (at == 3)
            return -EINVAL;
        filters |= 1 << at;
        list += bytes + (list[bytes] == ',');
    }
    return filters;
}

/* "prefetch", or "prefetch;prerender" (Sec-Purpose is a structured field, W3C Prefetch); "preview" of Safari's top
 * sites and of link previews; the other fields are older names. */
static bool is_prefetch(const struct http_request *r)
{
    static const enum http_field fields[] = {HTTP_FIELD_SEC_PURPOSE, HTTP_FIELD_PURPOSE, HTTP_FIELD_X_PURPOSE,
                                             HTTP_FIELD_X_MOZ};
    struct slice element;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        struct list list = {r->field[fields[i]], fields[i]};
        while (list_last_take(&list, &element)) {
            size_t bytes = 0;
            while (bytes < element.bytes && element.at[bytes] != ';' && element.at[bytes] != ' ')
                bytes++;
            if (bytes == 8 && strncasecmp(element.at, "prefetch", bytes) == 0)
                return true;
            if (bytes == 7 && strncasecmp(element.at, "preview", bytes) == 0)
                return true;
        }
    }
    return false;
}

static bool is_one(struct slice value) { return slice_equals(value, SLICE("1")); }

enum api_refusal policy_check(const struct policy *p, const struct http_request *r, struct slice name)
{
    if (p->filters & FILTER_PREFETCH && is_prefetch(r))
        return API_REFUSED_PREFETCH;
    if (p->filters & FILTER_GPC && is_one(r->field[HTTP_FIELD_SEC_GPC]))
        return API_REFUSED_GPC;
    if (p->filters & FILTER_DNT && is_one(r->field[HTTP_FIELD_DNT]))
        return API_REFUSED_DNT;
    if (p->bots && bots_know(p->bots, r->field[HTTP_FIELD_USER_AGENT]))
        return API_REFUSED_BOT;
    return p->access ? access_check(p->access, p->tokens, r, name) : API_ALLOWED;
}
