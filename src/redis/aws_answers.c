#include "redis/aws_answers.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool aws_copy_text(char *out, size_t bytes, const char *text, size_t text_bytes)
{
    if (text_bytes >= bytes)
        return false;
    memcpy(out, text, text_bytes);
    out[text_bytes] = '\0';
    return true;
}

/* "2026-11-21T04:00:00Z" or with fractions; 0: not a time. */
static int64_t parse_time(const char *text)
{
    struct tm tm = {0};
    return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? timegm(&tm) : 0;
}

static bool copy_member(char *out, size_t bytes, const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    return value && aws_copy_text(out, bytes, json_string_value(value) ? json_string_value(value) : "",
                                  json_string_length(value));
}

int aws_answer_container(struct aws_keys *out, struct slice text, struct error *err)
{
    json_t *root = json_loadb(text.at, text.bytes, 0, NULL);
    const char *expires = json_string_value(json_object_get(root, "Expiration"));
    bool ok = copy_member(out->access_key_id, sizeof(out->access_key_id), root, "AccessKeyId") &&
              copy_member(out->secret_access_key, sizeof(out->secret_access_key), root, "SecretAccessKey") &&
              copy_member(out->session_token, sizeof(out->session_token), root, "Token");
    out->expires_s = expires ? parse_time(expires) : INT64_MAX;
    json_decref(root);
    return ok && out->expires_s ? 0 : error_set(err, -EINVAL, "its answer has no keys that can be used");
}

/* The text of the first element of that name; STS's answers have no attributes or entities in these. */
static struct slice element(struct slice xml, const char *name)
{
    char open[64], close[64];
    snprintf(open, sizeof(open), "<%s>", name);
    snprintf(close, sizeof(close), "</%s>", name);
    const char *from = xml.bytes ? memmem(xml.at, xml.bytes, open, strlen(open)) : NULL;
    if (!from)
        return (struct slice){0};
    from += strlen(open);
    const char *to = memmem(from, (size_t)(xml.at + xml.bytes - from), close, strlen(close));
    return to ? (struct slice){from, (size_t)(to - from)} : (struct slice){0};
}

int aws_answer_sts(struct aws_keys *out, struct slice xml, struct error *err)
{
    struct slice id = element(xml, "AccessKeyId"), secret = element(xml, "SecretAccessKey");
    struct slice token = element(xml, "SessionToken"), expires = element(xml, "Expiration");
    char when[40] = "";

    bool ok = id.at && secret.at && token.at && expires.at && AWS_COPY(out->access_key_id, id.at, id.bytes) &&
              AWS_COPY(out->secret_access_key, secret.at, secret.bytes) &&
              AWS_COPY(out->session_token, token.at, token.bytes) && AWS_COPY(when, expires.at, expires.bytes);
    out->expires_s = ok ? parse_time(when) : 0;
    return out->expires_s ? 0 : error_set(err, -EINVAL, "its answer has no keys that can be used");
}
