#include "redis/url.h"

#include <errno.h>
#include <limits.h>

#include "base/slice.h"

#define PORT_DEFAULT 6379

static struct slice slice_between(const char *from, const char *to)
{
    return (struct slice){from, (size_t)(to - from)};
}

static bool take_scheme(struct slice *rest, bool *tls)
{
    static const struct slice plain = {"redis://", 8}, secure = {"rediss://", 9};

    for (int i = 0; i < 2; i++) {
        struct slice s = i ? secure : plain;
        if (rest->bytes >= s.bytes && memcmp(rest->at, s.at, s.bytes) == 0) {
            *tls = i;
            *rest = (struct slice){rest->at + s.bytes, rest->bytes - s.bytes};
            return true;
        }
    }
    return false;
}

static bool copy_text(char *out, size_t out_bytes, struct slice s)
{
    if (s.bytes >= out_bytes)
        return false;
    memcpy(out, s.at, s.bytes);
    out[s.bytes] = '\0';
    return true;
}

/* Strict digits, no sign, no more than `max`. */
static bool parse_number(struct slice s, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;

    if (s.bytes == 0 || s.bytes > 10)
        return false;
    for (size_t i = 0; i < s.bytes; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(s.at[i] - '0');
    }
    if (n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool has_odd_bytes(struct slice s)
{
    for (size_t i = 0; i < s.bytes; i++) {
        if (s.at[i] <= ' ' || s.at[i] == 0x7f || strchr("?#%", s.at[i]))
            return true;
    }
    return false;
}

static int take_user(struct slice *rest, struct redis_url *url, struct error *err)
{
    const char *at = memrchr(rest->at, '@', rest->bytes);

    if (!at)
        return 0;
    struct slice user = slice_between(rest->at, at);
    /* The text is not repeated in the message: it may hold the secret that is refused. */
    if (memchr(user.at, ':', user.bytes))
        return error_set(err, -EINVAL,
                         "a password in the Redis URL is refused, as others can read it in the process list: "
                         "use --redis-password-file or the environment");
    if (!copy_text(url->user, sizeof(url->user), user))
        return error_set(err, -EINVAL, "the user in the Redis URL is longer than %zu bytes", sizeof(url->user) - 1);
    *rest = slice_between(at + 1, rest->at + rest->bytes);
    return 0;
}

static int take_db(struct slice *rest, struct redis_url *url, struct error *err)
{
    const char *slash = memchr(rest->at, '/', rest->bytes);

    if (!slash)
        return 0;
    struct slice db = slice_between(slash + 1, rest->at + rest->bytes);
    if (db.bytes && !parse_number(db, INT_MAX, &url->db))
        return error_set(err, -EINVAL, "the database in the Redis URL is not a number: '%.*s'", (int)db.bytes, db.at);
    *rest = slice_between(rest->at, slash);
    return 0;
}

/* "host", "host:port", "[v6]" or "[v6]:port"; splits at the colon before the port. */
static bool split_host(struct slice rest, struct slice *host, struct slice *port)
{
    const char *end = rest.at + rest.bytes;

    *port = (struct slice){NULL, 0};
    if (rest.bytes && rest.at[0] == '[') {
        const char *close = memchr(rest.at, ']', rest.bytes);
        if (!close || (close + 1 < end && close[1] != ':'))
            return false;
        *host = slice_between(rest.at + 1, close);
        if (close + 1 < end)
            *port = slice_between(close + 2, end);
        return close + 1 == end || port->bytes;
    }
    const char *colon = memchr(rest.at, ':', rest.bytes);
    *host = slice_between(rest.at, colon ? colon : end);
    if (colon)
        *port = slice_between(colon + 1, end);
    return !colon || port->bytes;
}

static int take_host(struct slice rest, struct redis_url *url, struct error *err)
{
    struct slice host, port;
    uint32_t number = PORT_DEFAULT;

    if (!split_host(rest, &host, &port) || host.bytes == 0 || !copy_text(url->host, sizeof(url->host), host))
        return error_set(err, -EINVAL, "no usable host in the Redis URL: '%.*s'", (int)rest.bytes, rest.at);
    if (port.bytes && (!parse_number(port, UINT16_MAX, &number) || number == 0))
        return error_set(err, -EINVAL, "the port in the Redis URL is not 1…65535: '%.*s'", (int)port.bytes, port.at);
    url->port = (uint16_t)number;
    return 0;
}

int redis_url_parse(const char *text, struct redis_url *out, struct error *err)
{
    struct redis_url url = {0};
    struct slice rest = {text, strlen(text)};
    int failed;

    if (!take_scheme(&rest, &url.tls))
        return error_set(err, -EINVAL, "a Redis URL is redis://[user@]host:port[/db], or rediss:// for TLS");
    if ((failed = take_user(&rest, &url, err)) || (failed = take_db(&rest, &url, err)))
        return failed;
    if (has_odd_bytes(rest))
        return error_set(err, -EINVAL, "the Redis URL has a character that no host name has");
    if ((failed = take_host(rest, &url, err)))
        return failed;
    *out = url;
    return 0;
}
