#include "request/newcomer.h"
#include "policy/rate.h"
#include "tally/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int names_compare(const void *one, const void *other)
{
    const struct slice *a = one, *b = other;
    return slice_compare(*a, *b);
}

int namespaces_parse(struct namespaces *n, const char *list, struct error *err)
{
    n->count = 0;
    for (bool more = *list != '\0'; more; list++) {
        struct slice ns = {list, strcspn(list, ",")};
        if (n->count == NAMESPACES_MAX)
            return error_set(err, -EINVAL, "--namespaces: more than %u of them", NAMESPACES_MAX);
        if (name_check_ns(ns) != NAME_OK)
            return error_set(err, -EINVAL, "--namespaces: '%.*s' is no namespace: 1 to 64 of A-Z a-z 0-9 _ . -",
                             (int)ns.bytes, ns.at);
        n->names[n->count++] = ns;
        list += ns.bytes;
        more = *list == ',';
    }
    qsort(n->names, n->count, sizeof(*n->names), names_compare);
    return 0;
}

bool namespaces_have(const struct namespaces *n, struct slice ns)
{
    return n->count == 0 || bsearch(&ns, n->names, n->count, sizeof(*n->names), names_compare) != NULL;
}

/* Two workers that take the last place in the same microsecond go one over: the bound is a share, not a size. */
static bool namespace_is_full(const struct api_config *config, struct slice name)
{
    const struct places *p = tally_places(config->tally);

    return config->keys_max_ns > 0 && places_in_namespace(p, places_namespace(p, name)) >= config->keys_max_ns;
}

/* In how many seconds there will be room; 0: now. */
static uint32_t budget_wait(struct rate *rate, const struct ip *who, uint32_t per_second, uint64_t now_ms)
{
    uint64_t burst = (uint64_t)per_second * NEWCOMER_BURST_S;

    return per_second == 0
               ? 0
               : rate_take(rate, who, per_second, burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX, now_ms);
}

/* The client's own share first: what one wants beyond it costs the others nothing. */
static uint32_t newcomer_wait(struct api_worker *aw, const struct http_request *r, const struct reply *reply)
{
    static const struct ip everybody;
    const struct api_config *config = &aw->api->config;
    uint32_t wait_s = 0;

    if (reply->peer && config->new_keys_client > 0) {
        struct ip client = client_find(&config->proxies, reply->peer, r);
        wait_s = budget_wait(aw->newcomers, &client, config->new_keys_client, reply->now_ms);
    }
    return wait_s ? wait_s : budget_wait(aw->newcomers, &everybody, config->new_keys, reply->now_ms);
}

enum api_refusal newcomer_hit(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                              struct slice name, uint64_t n)
{
    struct api *a = aw->api;

    if (tally_is_full(a->config.tally))
        return API_REFUSED_KEY_LIMIT;
    if (namespace_is_full(&a->config, name))
        return API_REFUSED_NAMESPACE_KEYS;
    aw->retry_after_s = newcomer_wait(aw, r, reply);
    if (aw->retry_after_s)
        return API_REFUSED_NEW_KEY_RATE;
    enum tally_result result = tally_hit(a->config.tally, aw->index, name, n);
    return result == TALLY_COUNTED ? API_ALLOWED : refusal_of_tally(result);
}
