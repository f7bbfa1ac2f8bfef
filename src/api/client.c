#include "api/client.h"

#include <errno.h>
#include <string.h>

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

/* Takes the last element of a list off its end, trimmed. */
static struct slice last_take(struct slice *list)
{
    size_t start = list->bytes;
    while (start > 0 && list->at[start - 1] != ',')
        start--;
    struct slice element = {list->at + start, list->bytes - start};
    list->bytes = start > 0 ? start - 1 : 0;
    while (element.bytes > 0 && (*element.at == ' ' || *element.at == '\t'))
        element.at++, element.bytes--;
    while (element.bytes > 0 && strchr(" \t", element.at[element.bytes - 1]))
        element.bytes--;
    return element;
}

struct ip client_find(const struct proxies *p, const struct ip *peer, const struct http_request *r)
{
    struct slice list = r->field[HTTP_FIELD_X_FORWARDED_FOR];
    struct ip client = *peer, before;
    while (list.bytes > 0 && proxies_have(p, &client) && ip_parse(last_take(&list), &before))
        client = before;
    return client;
}
