#include "redis/sigv4.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <time.h>

#define SHA256_BYTES 32

struct signing {
    const struct sigv4_request *request;
    char time[17]; /* "20130524T000000Z" */
    char day[9];
};

static void append_text(struct buf *out, const char *text) { buf_append(out, text, strlen(text)); }

static void append_hex(struct buf *out, const unsigned char *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_printf(out, "%02x", data[i]);
}

/* All but RFC 3986's unreserved characters. */
static void append_encoded(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-_.~", c))
            buf_append(out, text, 1);
        else
            buf_printf(out, "%%%02X", c);
    }
}

static void append_scope(struct buf *out, const struct signing *s, const char *slash)
{
    buf_printf(out, "%s%s%s%s%s%saws4_request", s->day, slash, s->request->region, slash, s->request->service, slash);
}

/* The parameters in the order of their names, as the canonical query has them: capital letters first. */
static void append_query(struct buf *out, const struct signing *s, const struct sigv4_keys *keys)
{
    const struct sigv4_request *r = s->request;

    if (*r->query)
        buf_printf(out, "%s&", r->query);
    append_text(out, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
    append_encoded(out, keys->access_key_id);
    append_text(out, "%2F");
    append_scope(out, s, "%2F");
    buf_printf(out, "&X-Amz-Date=%s&X-Amz-Expires=%u", s->time, r->expires_s);
    if (*keys->session_token) {
        append_text(out, "&X-Amz-Security-Token=");
        append_encoded(out, keys->session_token);
    }
    append_text(out, "&X-Amz-SignedHeaders=host");
}

static int hmac(const void *key, size_t key_bytes, const void *data, size_t bytes, unsigned char out[SHA256_BYTES])
{
    return HMAC(EVP_sha256(), key, (int)key_bytes, data, bytes, out, NULL) ? 0 : -ENOMEM;
}

static int hmac_text(unsigned char key[SHA256_BYTES], const char *text)
{
    unsigned char out[SHA256_BYTES];
    int failed = hmac(key, SHA256_BYTES, text, strlen(text), out);

    memcpy(key, out, SHA256_BYTES);
    return failed;
}

static int signing_key(const struct signing *s, const struct sigv4_keys *keys, unsigned char key[SHA256_BYTES])
{
    struct buf secret = {0};

    buf_printf(&secret, "AWS4%s", keys->secret_access_key);
    int failed = secret.failed ? -ENOMEM : hmac(secret.data, secret.bytes, s->day, strlen(s->day), key);
    if (secret.data)
        OPENSSL_cleanse(secret.data, secret.bytes);
    buf_fini(&secret);
    if (!failed)
        failed = hmac_text(key, s->request->region);
    if (!failed)
        failed = hmac_text(key, s->request->service);
    return failed ? failed : hmac_text(key, "aws4_request");
}

static int append_canonical_hash(struct buf *out, const struct signing *s, struct slice query)
{
    const struct sigv4_request *r = s->request;
    unsigned char hash[SHA256_BYTES];
    struct buf canonical = {0};

    buf_printf(&canonical, "GET\n%s\n%.*s\nhost:%s\n\nhost\n%s", r->path, (int)query.bytes, query.at, r->host,
               r->payload_sha256);
    bool ok = !canonical.failed && EVP_Digest(canonical.data, canonical.bytes, hash, NULL, EVP_sha256(), NULL) == 1;
    buf_fini(&canonical);
    append_hex(out, hash, ok ? sizeof(hash) : 0);
    return ok ? 0 : -ENOMEM;
}

static int append_signature(struct buf *out, const struct signing *s, const struct sigv4_keys *keys, struct slice query)
{
    unsigned char key[SHA256_BYTES], signature[SHA256_BYTES];
    struct buf to_sign = {0};

    buf_printf(&to_sign, "AWS4-HMAC-SHA256\n%s\n", s->time);
    append_scope(&to_sign, s, "/");
    append_text(&to_sign, "\n");
    int failed = append_canonical_hash(&to_sign, s, query);
    if (!failed)
        failed = to_sign.failed ? -ENOMEM : signing_key(s, keys, key);
    if (!failed)
        failed = hmac(key, sizeof(key), to_sign.data, to_sign.bytes, signature);
    OPENSSL_cleanse(key, sizeof(key));
    buf_fini(&to_sign);
    if (!failed)
        append_hex(out, signature, sizeof(signature));
    return failed;
}

int sigv4_presign(struct buf *out, const struct sigv4_keys *keys, const struct sigv4_request *r)
{
    struct signing s = {.request = r};
    struct buf query = {0};
    time_t wall = r->wall_s;
    struct tm utc;

    gmtime_r(&wall, &utc);
    strftime(s.time, sizeof(s.time), "%Y%m%dT%H%M%SZ", &utc);
    memcpy(s.day, s.time, sizeof(s.day) - 1);
    append_query(&query, &s, keys);
    buf_printf(out, "%s%s?", r->host, r->path);
    buf_append_slice(out, buf_slice(&query));
    append_text(out, "&X-Amz-Signature=");
    int failed = query.failed ? -ENOMEM : append_signature(out, &s, keys, buf_slice(&query));
    buf_fini(&query);
    return failed ? failed : out->failed ? -ENOMEM : 0;
}
