#include "request/gate.h"

#include "policy/rate.h"
#include "request/newcomer.h"

enum api_refusal gate_check(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                            struct slice name)
{
    const struct api_config *config = &aw->api->config;
    if (config->namespaces && !namespaces_have(config->namespaces, name_ns(name)))
        return API_REFUSED_NO_SUCH_NAMESPACE;
    enum api_refusal why = aw->policy ? policy_check(aw->policy, r, name) : API_ALLOWED;
    if (why != API_ALLOWED || !aw->rate)
        return why;
    struct ip client = client_find(&config->proxies, reply->peer, r);
    aw->retry_after_s = rate_take(aw->rate, &client, config->rate_limit, config->rate_burst, reply->now_ms);
    return aw->retry_after_s ? API_REFUSED_RATE : API_ALLOWED;
}
