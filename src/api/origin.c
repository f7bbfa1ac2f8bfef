#include "api/origin.h"

#include "http/target.h"

#define SCHEME_END "://"

static const char *scheme_end(struct slice text)
{
    return text.bytes > 0 ? memmem(text.at, text.bytes, SCHEME_END, strlen(SCHEME_END)) : NULL;
}

struct slice origin_of(struct slice address)
{
    const char *end = address.at + address.bytes, *scheme = scheme_end(address);
    if (scheme == NULL || scheme == address.at)
        return (struct slice){0};
    const char *host = scheme + strlen(SCHEME_END), *at = host;
    while (at < end && *at != '/' && *at != '?' && *at != '#')
        at++;
    return at > host ? (struct slice){address.at, (size_t)(at - address.at)} : (struct slice){0};
}

static void append_lower(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.at[i];
        c = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        buf_append(out, &c, 1);
    }
}

static bool ends_with(const struct buf *b, struct slice end)
{
    return b->bytes >= end.bytes && memcmp(b->data + b->bytes - end.bytes, end.at, end.bytes) == 0;
}

static bool begins_with(const struct buf *b, struct slice start)
{
    return b->bytes >= start.bytes && memcmp(b->data, start.at, start.bytes) == 0;
}

static bool scheme_valid(struct slice scheme)
{
    for (size_t i = 0; i < scheme.bytes; i++) {
        char c = (char)(scheme.at[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !memchr("0123456789+-.", scheme.at[i], 13)))
            return false;
    }
    return scheme.bytes > 0;
}

bool origin_write(struct slice text, struct buf *out)
{
    if (slice_equals(text, SLICE("null"))) {
        buf_append_slice(out, text);
        return !out->failed;
    }
    if (!scheme_end(text))
        buf_append_slice(out, SLICE("https://"));
    append_lower(out, text);
    struct slice origin = origin_of(buf_slice(out));
    if (!origin.at)
        return false;
    out->bytes = origin.bytes;
    const char *host = scheme_end(origin) + strlen(SCHEME_END);
    struct slice authority = {host, (size_t)(origin.at + origin.bytes - host)};
    if (!scheme_valid((struct slice){origin.at, (size_t)(host - origin.at) - strlen(SCHEME_END)}) ||
        !target_host_valid(authority) || memchr(host, '*', authority.bytes))
        return false;
    if (begins_with(out, SLICE("https://")) && ends_with(out, SLICE(":443")))
        out->bytes -= 4;
    else if (begins_with(out, SLICE("http://")) && ends_with(out, SLICE(":80")))
        out->bytes -= 3;
    out->bytes -= ends_with(out, SLICE(":"));
    return !out->failed;
}
