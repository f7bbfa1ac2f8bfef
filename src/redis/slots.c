#include "redis/slots.h"

#define RANGE_ITEMS_MIN 3 /* first, last, master */
#define NODE_ITEMS_MIN 2  /* endpoint, port */
#define NODE_METADATA 3
#define SLOT_MAX 16383

static bool node_fits(const struct reply *node)
{
    return node->type == REPLY_ARRAY && node->items_count >= NODE_ITEMS_MIN &&
           (node->items[0].type == REPLY_STRING || node->items[0].type == REPLY_NIL) &&
           node->items[1].type == REPLY_INTEGER;
}

static bool range_fits(const struct reply *range)
{
    return range->type == REPLY_ARRAY && range->items_count >= RANGE_ITEMS_MIN &&
           range->items[0].type == REPLY_INTEGER && range->items[1].type == REPLY_INTEGER &&
           range->items[0].integer >= 0 && range->items[0].integer <= range->items[1].integer &&
           range->items[1].integer <= SLOT_MAX && node_fits(&range->items[2]);
}

bool slots_fits(const struct reply *reply)
{
    bool fits = reply->type == REPLY_ARRAY;

    for (uint32_t i = 0; fits && i < reply->items_count; i++)
        fits = range_fits(&reply->items[i]);
    return fits;
}

/* Empty when the node does not say. */
static struct slice node_metadata(const struct reply *node, struct slice name)
{
    const struct reply *all = node->items_count > NODE_METADATA ? &node->items[NODE_METADATA] : NULL;

    for (uint32_t i = 0; all && all->type == REPLY_ARRAY && i + 1 < all->items_count; i += 2) {
        if (all->items[i].type == REPLY_STRING && slice_equals(all->items[i].text, name) &&
            all->items[i + 1].type == REPLY_STRING)
            return all->items[i + 1].text;
    }
    return (struct slice){0};
}

static struct slice node_host(const struct reply *node, const struct node_address *asked)
{
    const struct reply *endpoint = &node->items[0];

    if (endpoint->type == REPLY_STRING && slice_equals(endpoint->text, SLICE("?")))
        return node_metadata(node, SLICE("ip"));
    if (endpoint->type == REPLY_STRING && endpoint->text.bytes)
        return endpoint->text;
    return (struct slice){asked->host, strlen(asked->host)};
}

/* What a name or an address is made of. An announced name goes into logs, labels and the check of a certificate. */
static bool host_fits(struct slice host)
{
    static const char marks[] = "-._:%";

    for (size_t i = 0; i < host.bytes; i++) {
        char c = host.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !memchr(marks, c, sizeof(marks) - 1))
            return false;
    }
    return host.bytes > 0 && host.bytes < NODE_HOST_BYTES_MAX;
}

static void host_copy(char out[NODE_HOST_BYTES_MAX], struct slice host)
{
    memcpy(out, host.at, host.bytes);
    out[host.bytes] = '\0';
}

/* Its name, or its address where the endpoint is the name. */
static struct slice node_other(const struct reply *node, struct slice host)
{
    struct slice name = node_metadata(node, SLICE("hostname"));

    return name.bytes && !slice_equals(name, host) ? name : node_metadata(node, SLICE("ip"));
}

static bool node_read(const struct reply *node, const struct node_address *asked, struct node_address *out)
{
    struct slice host = node_host(node, asked), other = node_other(node, host);
    int64_t port = node->items[1].integer;

    if (!host_fits(host) || port < 1 || port > UINT16_MAX)
        return false;
    host_copy(out->host, host);
    out->other[0] = '\0';
    if (host_fits(other) && !slice_equals(other, host))
        host_copy(out->other, other);
    out->port = (uint16_t)port;
    return true;
}

bool slots_find(const struct reply *reply, uint16_t slot, const struct node_address *asked, struct node_address *out)
{
    for (uint32_t i = 0; i < reply->items_count; i++) {
        const struct reply *range = &reply->items[i];
        if (slot >= range->items[0].integer && slot <= range->items[1].integer)
            return node_read(&range->items[2], asked, out);
    }
    return false;
}

bool slots_know(const struct reply *reply, const struct node_address *asked, const struct node_address *address)
{
    struct node_address node;

    for (uint32_t i = 0; i < reply->items_count; i++) {
        const struct reply *range = &reply->items[i];
        for (uint32_t k = 2; k < range->items_count; k++) {
            if (node_fits(&range->items[k]) && node_read(&range->items[k], asked, &node) &&
                node_address_equals(&node, address))
                return true;
        }
    }
    return false;
}

static bool same_endpoint(const struct reply *a, const struct reply *b)
{
    return a->items[0].type == b->items[0].type && slice_equals(a->items[0].text, b->items[0].text) &&
           a->items[1].integer == b->items[1].integer;
}

/* Does an earlier range name this one's master? */
static bool master_is_counted(const struct reply *reply, uint32_t range)
{
    uint32_t i = 0;

    while (i < range && !same_endpoint(&reply->items[i].items[2], &reply->items[range].items[2]))
        i++;
    return i < range;
}

uint32_t slots_masters(const struct reply *reply, uint32_t most)
{
    uint32_t masters = 0;

    for (uint32_t i = 0; i < reply->items_count && masters < most; i++)
        masters += !master_is_counted(reply, i);
    return masters;
}
