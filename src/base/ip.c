#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static struct ip from_v4(const struct in_addr *address)
{
    struct ip ip;
    memcpy(ip.bytes, v4_prefix, sizeof(v4_prefix));
    memcpy(ip.bytes + sizeof(v4_prefix), address, sizeof(*address));
    return ip;
}

bool ip_from_socket(const struct sockaddr_storage *address, struct ip *out)
{
    if (address->ss_family == AF_INET)
        *out = from_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->ss_family == AF_INET6)
        memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof(out->bytes));
    return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

/* Without what belongs to a port. */
static struct slice host_of(struct slice text)
{
    const char *colon = text.bytes ? memchr(text.at, ':', text.bytes) : NULL;
    const char *bracket = text.bytes && text.at[0] == '[' ? memchr(text.at, ']', text.bytes) : NULL;
    if (bracket)
        return (struct slice){text.at + 1, (size_t)(bracket - text.at - 1)};
    if (colon && !memchr(colon + 1, ':', (size_t)(text.at + text.bytes - colon - 1)))
        text.bytes = (size_t)(colon - text.at);
    return text;
}

bool ip_parse(struct slice text, struct ip *out)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct slice host = host_of(text);
    if (host.bytes == 0 || host.bytes >= sizeof(copy))
        return false;
    memcpy(copy, host.at, host.bytes);
    copy[host.bytes] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *out = from_v4(&v4);
        return true;
    }
    return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

bool ip_block_parse(struct slice text, struct ip_block *out)
{
    const char *slash = text.bytes ? memchr(text.at, '/', text.bytes) : NULL;
    struct slice digits = slash ? (struct slice){slash + 1, (size_t)(text.at + text.bytes - slash - 1)} : SLICE("128");
    unsigned bits = 0;
    if (slash)
        text.bytes = (size_t)(slash - text.at);
    if (digits.bytes == 0 || digits.bytes > 3 || !ip_parse(text, &out->ip))
        return false;
    for (size_t i = 0; i < digits.bytes; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(digits.at[i] - '0');
    }
    if (slash && ip_is_v4(&out->ip))
        bits += 8 * sizeof(v4_prefix);
    out->bits = (uint8_t)bits;
    return bits <= 128;
}

bool ip_block_has(const struct ip_block *b, const struct ip *ip)
{
    unsigned whole = b->bits / 8, rest = b->bits % 8;
    if (memcmp(b->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || (b->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

bool ip_is_v4(const struct ip *ip) { return memcmp(ip->bytes, v4_prefix, sizeof(v4_prefix)) == 0; }

bool ip_equals(const struct ip *a, const struct ip *b) { return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0; }
