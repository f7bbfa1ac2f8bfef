#include "http/target.h"

#include <arpa/inet.h>

#include "http/scan.h"

enum { PORT_MAX = 65535 };

/* "" or ":" digits. */
static bool port_valid(const char *at, const char *end)
{
    unsigned port = 0;

    if (at == end)
        return true;
    if (*at++ != ':')
        return false;
    for (; at < end; at++) {
        if (!byte_is(*at, BYTE_DIGIT))
            return false;
        port = port * 10 + (unsigned)(*at - '0');
        if (port > PORT_MAX)
            return false;
    }
    return true;
}

/* `at` stands behind the '['; what follows the ']', or NULL. Not inlined: its memory would cost every host a guard. */
static __attribute__((noinline)) const char *address6_skip(const char *at, const char *end)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *close = memchr(at, ']', (size_t)(end - at));

    if (close == NULL || (size_t)(close - at) >= sizeof(text))
        return NULL;
    size_t bytes = (size_t)(close - at);
    memcpy(text, at, bytes);
    text[bytes] = '\0';
    return memchr(text, '\0', bytes) == NULL && inet_pton(AF_INET6, text, &address) == 1 ? close + 1 : NULL;
}

/* The first byte that is not of a reg-name (an IPv4 address is one too); a broken percent-escape is not. */
static const char *name_skip(const char *at, const char *end)
{
    at = scan_host(at, end);
    while (end - at >= 3 && *at == '%' && byte_is(at[1], BYTE_HEX) && byte_is(at[2], BYTE_HEX))
        at = scan_class(at + 3, end, BYTE_HOST);
    return at;
}

bool target_host_valid(struct slice host)
{
    const char *start = host.at, *end = start + host.bytes;

    if (start == end)
        return false;
    const char *port = *start == '[' ? address6_skip(start + 1, end) : name_skip(start, end);
    return port != NULL && port > start && port_valid(port, end);
}

static struct slice slice_from(struct slice s, size_t bytes) { return (struct slice){s.at + bytes, s.bytes - bytes}; }

/* Bytes of "http://" or "https://" in front, or 0. */
static size_t scheme_bytes(struct slice target)
{
    static const char https[] = "https";
    size_t i = 0;

    while (i < 5 && i < target.bytes && (target.at[i] | 0x20) == https[i])
        i++;
    bool matches = i >= 4 && target.bytes >= i + 3 && memcmp(target.at + i, "://", 3) == 0;
    return matches ? i + 3 : 0;
}

static bool absolute_split(struct http_request *r)
{
    size_t scheme = scheme_bytes(r->path);
    if (scheme == 0)
        return false;
    struct slice rest = slice_from(r->path, scheme);
    const char *slash = memchr(rest.at, '/', rest.bytes);
    r->host = (struct slice){rest.at, slash != NULL ? (size_t)(slash - rest.at) : rest.bytes};
    /* An empty path means "/" (RFC 9110 section 4.2.3): the last byte of "http://" is one, and moves with the head. */
    r->path = slash != NULL ? slice_from(rest, r->host.bytes) : (struct slice){rest.at - 1, 1};
    return target_host_valid(r->host);
}

static bool authority_split(struct http_request *r)
{
    r->host = r->path;
    r->path = slice_from(r->path, r->path.bytes);
    /* Here the port must be there (RFC 9112 section 3.2.3). */
    bool has_port = r->host.bytes > 0 && byte_is(r->host.at[r->host.bytes - 1], BYTE_DIGIT) &&
                    memrchr(r->host.at, ':', r->host.bytes) != NULL;
    return has_port && r->query.at == NULL && target_host_valid(r->host);
}

bool target_split(struct http_request *r)
{
    if (r->method == HTTP_CONNECT)
        return authority_split(r);
    if (target_is_path(r))
        return true;
    if (r->path.bytes == 1 && r->path.at[0] == '*')
        return r->method == HTTP_OPTIONS && r->query.at == NULL;
    return absolute_split(r);
}
