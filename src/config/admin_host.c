#include "config/admin_host.h"

#include <errno.h>
#include <strings.h>

#include "base/ip.h"
#include "http/target.h"

/* Without ":port", and without the brackets of an IPv6 address. */
static struct slice name_of(struct slice host)
{
    if (host.bytes > 0 && host.at[0] == '[') {
        const char *end = memchr(host.at, ']', host.bytes);
        return end ? (struct slice){host.at + 1, (size_t)(end - host.at) - 1} : host;
    }
    const char *colon = memchr(host.at, ':', host.bytes);
    return colon ? (struct slice){host.at, (size_t)(colon - host.at)} : host;
}

static bool name_is(struct slice name, const char *text, size_t bytes)
{
    return name.bytes == bytes && strncasecmp(name.at, text, bytes) == 0;
}

bool admin_host_known(const char *list, struct slice host)
{
    struct ip ip;
    if (host.bytes == 0)
        return true; /* no browser sends that */
    struct slice name = name_of(host);
    if (ip_parse(name, &ip) || name_is(name, "localhost", 9))
        return true;
    for (size_t bytes; *list; list += bytes + (list[bytes] == ',')) {
        bytes = strcspn(list, ",");
        if (bytes > 0 && name_is(name, list, bytes))
            return true;
    }
    return false;
}

int admin_hosts_check(const char *list, struct error *err)
{
    for (size_t bytes; *list; list += bytes + (list[bytes] == ',')) {
        bytes = strcspn(list, ",");
        bool is_name =
            target_host_valid((struct slice){list, bytes}) && !memchr(list, ':', bytes) && !memchr(list, '*', bytes);
        if (!is_name)
            return error_set(err, -EINVAL,
                             "--admin-hosts: '%.*s' is no host name; write names without scheme, port and path, like "
                             "tallyd.internal.example; addresses are known",
                             (int)bytes, list);
    }
    return 0;
}
