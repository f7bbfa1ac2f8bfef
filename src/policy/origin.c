#include "policy/origin.h"

#include <arpa/inet.h>
#include <strings.h>

#include "http/target.h"

#define SCHEME_END "://"

static const char *scheme_end(struct slice text)
{
    return text.bytes > 0 ? memmem(text.at, text.bytes, SCHEME_END, strlen(SCHEME_END)) : NULL;
}

static struct slice slice_between(const char *at, const char *end) { return (struct slice){at, (size_t)(end - at)}; }

static const char *authority_end(const char *host, const char *end)
{
    while (host < end && *host != '/' && *host != '?' && *host != '#')
        host++;
    return host;
}

struct slice origin_of(struct slice address)
{
    const char *end = address.at + address.bytes, *scheme = scheme_end(address);
    if (scheme == NULL || scheme == address.at)
        return (struct slice){0};
    const char *host = scheme + strlen(SCHEME_END), *at = authority_end(host, end);
    return at > host ? slice_between(address.at, at) : (struct slice){0};
}

/* "https", "blog.example" and "8443" of "https://blog.example:8443/a". */
struct origin {
    struct slice scheme, host, port;
};

static bool is(struct slice text, const char *word)
{
    return text.bytes == strlen(word) && strncasecmp(text.at, word, text.bytes) == 0;
}

static bool scheme_valid(struct slice scheme)
{
    for (size_t i = 0; i < scheme.bytes; i++) {
        char c = (char)(scheme.at[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !memchr("0123456789+-.", scheme.at[i], 13)))
            return false;
    }
    /* No page is loaded over these, and so no origin has them. */
    return scheme.bytes > 0 && !is(scheme, "ftp") && !is(scheme, "ws") && !is(scheme, "wss");
}

/* A scheme that is not said is https. */
static bool origin_split(struct slice text, struct origin *o)
{
    const char *end = text.at + text.bytes, *scheme = scheme_end(text), *host = text.at;
    o->scheme = SLICE("https");
    if (scheme != NULL) {
        o->scheme = slice_between(text.at, scheme);
        host = scheme + strlen(SCHEME_END);
    }
    end = authority_end(host, end);
    struct slice authority = slice_between(host, end);
    if (!scheme_valid(o->scheme) || !target_host_valid(authority) || memchr(host, '*', authority.bytes) ||
        memchr(host, '%', authority.bytes)) /* browsers decode it first */
        return false;
    const char *colon = memrchr(host, ':', authority.bytes);
    bool has_port = colon != NULL && (*host != '[' || colon[-1] == ']');
    o->host = slice_between(host, has_port ? colon : end);
    o->port = has_port ? slice_between(colon + 1, end) : slice_between(end, end);
    /* "data:" is a scheme, not a host. */
    return scheme != NULL || !has_port || o->port.bytes > 0;
}

static void append_lower(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.at[i];
        c = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        buf_append(out, &c, 1);
    }
}

/* Eight numbers in hexadecimal, and the first of the longest runs of noughts left out (URL Standard, "IPv6
 * serializer"). inet_ntop() would write some of them with dots. */
static void append_ip6(struct buf *out, const struct in6_addr *address)
{
    int start = 8, longest = 1;
    uint16_t piece[8];
    for (int i = 0; i < 8; i++)
        piece[i] = (uint16_t)(address->s6_addr[2 * i] << 8 | address->s6_addr[2 * i + 1]);
    for (int i = 0, run = 0; i < 8; i++) {
        run = piece[i] == 0 ? run + 1 : 0;
        if (run > longest)
            longest = run, start = i + 1 - run;
    }
    buf_append_slice(out, SLICE("["));
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            buf_append_slice(out, i == 0 ? SLICE("::") : SLICE(":"));
            i += longest - 1;
        } else {
            buf_printf(out, i < 7 ? "%x:" : "%x", piece[i]);
        }
    }
    buf_append_slice(out, SLICE("]"));
}

/* Is it a number to browsers, so that the whole host is an address of IPv4 (URL Standard, "ends in a number")? */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.'), *last = dot != NULL ? dot + 1 : host;
    bool hex = last[0] == '0' && (last[1] | 0x20) == 'x';
    const char *digits = hex ? last + 2 : last;
    return last[0] != '\0' && digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] == '\0';
}

/* Returns false when it is an address that cannot be. */
static bool host_append(struct buf *out, struct slice host)
{
    char text[256];
    struct in_addr ip4;
    struct in6_addr ip6;
    if (host.bytes >= sizeof(text))
        return false;
    memcpy(text, host.at, host.bytes);
    text[host.bytes] = '\0';
    if (text[0] == '[' || text[host.bytes - 1] == '.')
        text[host.bytes - 1] = '\0';
    if (text[0] == '[') {
        if (inet_pton(AF_INET6, text + 1, &ip6) != 1)
            return false;
        append_ip6(out, &ip6);
    } else if (ends_in_number(text)) {
        if (inet_aton(text, &ip4) == 0)
            return false;
        buf_append_slice(out, (struct slice){text, strlen(inet_ntop(AF_INET, &ip4, text, sizeof(text)))});
    } else {
        append_lower(out, host);
    }
    return true;
}

static void port_append(struct buf *out, struct slice scheme, struct slice port)
{
    while (port.bytes > 1 && port.at[0] == '0')
        port.at++, port.bytes--;
    bool usual = (is(scheme, "https") && is(port, "443")) || (is(scheme, "http") && is(port, "80"));
    if (port.bytes > 0 && !usual)
        buf_printf(out, ":%.*s", (int)port.bytes, port.at);
}

bool origin_write(struct slice text, struct buf *out)
{
    struct origin o;
    if (slice_equals(text, SLICE("null"))) {
        buf_append_slice(out, text);
        return !out->failed;
    }
    if (!origin_split(text, &o))
        return false;
    append_lower(out, o.scheme);
    buf_append_slice(out, SLICE(SCHEME_END));
    if (!host_append(out, o.host))
        return false;
    port_append(out, o.scheme, o.port);
    return !out->failed;
}
