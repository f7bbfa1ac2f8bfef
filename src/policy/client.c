#include "policy/client.h"

#include <errno.h>
#include <string.h>

#include "http/list.h"

int proxies_parse(struct proxies *p, const char *list)
{
    p->count = 0;
    while (*list != '\0') {
        size_t bytes = strcspn(list, ",");
        if (p->count == PROXIES_MAX || !ip_block_parse((struct slice){list, bytes}, &p->blocks[p->count++]))
            return -EINVAL;
        list += bytes + (list[bytes] == ',');
    }
    return 0;
}

bool proxies_have(const struct proxies *p, const struct ip *ip)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (ip_block_has(&p->blocks[i], ip))
            return true;
    return false;
}

/* The next address from the end of the field; false: none, or no address. */
static bool address_take(struct list *list, struct ip *out)
{
    struct slice element;
    if (!list_last_take(list, &element))
        return false;
    if (list->field == HTTP_FIELD_FORWARDED)
        element = list_parameter(element, SLICE("for"));
    return element.bytes > 0 && ip_parse(element, out);
}

struct ip client_find(const struct proxies *p, const struct ip *peer, const struct http_request *r)
{
    enum http_field field = r->field[HTTP_FIELD_X_FORWARDED_FOR].at ? HTTP_FIELD_X_FORWARDED_FOR : HTTP_FIELD_FORWARDED;
    struct list list = {r->field[field], field};
    struct ip client = *peer, before;
    while (proxies_have(p, &client) && address_take(&list, &before))
        client = before;
    return client;
}
