#include "config/options_agree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/admin_host.h"
#include "policy/client.h"
#include "request/newcomer.h"
#include "tally/tops.h"

static int store_agrees(const struct options *o, struct error *err)
{
    if (*o->redis_password_file != '\0' && *o->redis_password != '\0')
        return error_set(err, -EINVAL, "--redis-password-file and TALLYD_REDIS_PASSWORD are both given; keep one");
    if (o->flush_interval_max_us != 0 && o->flush_interval_max_us < o->flush_interval_us)
        return error_set(err, -EINVAL, "--flush-interval-max is shorter than --flush-interval; 0 turns it off");
    if (*o->redis_key != '\0' && *o->redis_cert == '\0')
        return error_set(err, -EINVAL, "--redis-key needs --redis-cert, the certificate that it belongs to");
    if (*o->import != '\0' && *o->redis.host == '\0')
        return error_set(err, -EINVAL, "--import needs --redis, the store that takes the counters");
    if (o->redis_mode == OPTION_REDIS_CLUSTER && *o->redis.host == '\0')
        return error_set(err, -EINVAL, "--redis-mode cluster needs --redis, the address of any node");
    const char *region = *o->redis_iam_region ? o->redis_iam_region : getenv("AWS_REGION");
    if (o->redis_auth == OPTION_REDIS_AUTH_IAM &&
        (!o->redis.tls || !*o->redis.user || !*o->redis_iam_cluster || !region || !*region))
        return error_set(err, -EINVAL,
                         "--redis-auth iam needs a rediss:// URL with a user, --redis-iam-cluster and "
                         "--redis-iam-region (or AWS_REGION)");
    return 0;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Keys of a single server have no tag, so one prefix that begins with the other would take its keys for its own. */
static int repartition_agrees(const struct options *o, struct error *err)
{
    bool cluster = o->redis_mode == OPTION_REDIS_CLUSTER;
    const char *from = o->prefix, *to = o->repartition_to;
    if (o->repartition == 0)
        return *to || o->repartition_finish != OPTION_REPARTITION_FINISH_NO
                   ? error_set(err, -EINVAL, "--repartition-to and --repartition-finish belong to --repartition N")
                   : 0;
    if (*o->redis.host == '\0' || *o->import != '\0')
        return error_set(err, -EINVAL, "--repartition needs --redis, whose counters are moved, and no --import");
    if (strpbrk(to, "{}") || strcmp(from, to) == 0 || *to == '\0')
        return error_set(err, -EINVAL,
                         "--repartition needs --repartition-to, a prefix without braces that is not --prefix");
    if (!cluster && o->repartition != 1)
        return error_set(err, -EINVAL, "a single server has one partition: --repartition 1, or --redis-mode cluster");
    if (!cluster && (begins(from, to) || begins(to, from)))
        return error_set(err, -EINVAL,
                         "--repartition-to begins with --prefix, or --prefix with it: their keys would mix");
    return 0;
}

static int proxies_agree(const struct options *o, struct error *err)
{
    struct proxies proxies;
    if (proxies_parse(&proxies, o->trusted_proxies) < 0)
        return error_set(err, -EINVAL,
                         "--trusted-proxies '%s' is not a list of at most %d addresses or ADDRESS/BITS, with commas",
                         o->trusted_proxies, PROXIES_MAX);
    if (o->proxy_protocol == OPTION_PROXY_PROTOCOL_V2 && proxies.count == 0)
        return error_set(err, -EINVAL,
                         "--proxy-protocol v2 needs --trusted-proxies: its header is read from them only, and from "
                         "all others refused");
    return 0;
}

static int top_agrees(const struct options *o, struct error *err)
{
    struct namespaces tops, existing;
    struct error why;

    if (*o->top == '\0')
        return 0;
    if (namespaces_parse(&tops, o->top, &why) < 0 || tops.count > TOPS_NAMESPACES_MAX)
        return error_set(err, -EINVAL, "--top '%s' is not a list of at most %d namespaces, with commas", o->top,
                         TOPS_NAMESPACES_MAX);
    if (*o->namespaces == '\0' || namespaces_parse(&existing, o->namespaces, &why) < 0)
        return 0;
    for (uint32_t i = 0; i < tops.count; i++)
        if (!namespaces_have(&existing, tops.names[i]))
            return error_set(err, -EINVAL, "--top names '%.*s', which is none of --namespaces",
                             (int)tops.names[i].bytes, tops.names[i].at);
    return 0;
}

int options_agree(const struct options *o, struct error *err)
{
    if (o->drain_delay_us >= o->drain_timeout_us)
        return error_set(err, -EINVAL, "--drain-delay must be shorter than --drain-timeout, which covers it");
    if (address_port(&o->listen.socket) != 0 && memcmp(&o->listen, &o->admin, sizeof(o->listen)) == 0)
        return error_set(err, -EINVAL, "--listen and --admin are the same address; give --admin another port");
    struct namespaces namespaces;
    int result = store_agrees(o, err);
    if (result == 0)
        result = repartition_agrees(o, err);
    if (result == 0)
        result = proxies_agree(o, err);
    if (result == 0)
        result = admin_hosts_check(o->admin_hosts, err);
    if (result == 0)
        result = top_agrees(o, err);
    return result != 0 ? result : namespaces_parse(&namespaces, o->namespaces, err);
}
