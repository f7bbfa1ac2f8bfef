#include "redis/aws_keys.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "redis/aws_answers.h"
#include "redis/aws_http.h"

#define TOKEN_BYTES_MAX AWS_AUTHORIZATION_BYTES_MAX
#define ECS_ENDPOINT "http://169.254.170.2"

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static int read_token(const char *path, char out[TOKEN_BYTES_MAX], struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, -errno, "cannot open the token file %s: %s", path, strerror(errno));
    size_t bytes = fread(out, 1, TOKEN_BYTES_MAX - 1, file);
    fclose(file);
    out[bytes] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return *out ? 0 : error_set(err, -EINVAL, "the token file %s is empty", path);
}

/* ---- the container's endpoint ---- */

/* A service of this machine or of its link: what AWS's SDKs let a token go to in clear text. */
static bool host_is_near(const char *host)
{
    static const char *const hosts[] = {"127.0.0.1",     "localhost",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        if (strcasecmp(host, hosts[i]) == 0)
            return true;
    return false;
}

static bool parts_may_be_trusted(CURLU *url)
{
    char *scheme = NULL, *host = NULL, *user = NULL, *password = NULL;
    bool whole = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                 curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool named = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK ||
                 curl_url_get(url, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
    bool good =
        whole && !named && (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && host_is_near(host)));
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(password);
    return good;
}

bool aws_keys_url_trusted(const char *text)
{
    CURLU *url = curl_url();
    bool good =
        url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK && parts_may_be_trusted(url);
    curl_url_cleanup(url);
    return good;
}

static int from_container(struct aws_keys *out, struct error *err)
{
    const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    char url[1024], token[TOKEN_BYTES_MAX] = "";
    struct buf body = {0};
    int failed = 0;

    snprintf(url, sizeof(url), "%s%s", *relative ? ECS_ENDPOINT : "",
             *relative ? relative : environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    if (!aws_keys_url_trusted(url))
        return error_set(err, -EINVAL,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor of this machine, or names a user");
    if (*file)
        failed = read_token(file, token, err);
    else
        snprintf(token, sizeof(token), "%s", environment("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (!failed)
        failed = aws_http_fetch(url, NULL, *token ? token : NULL, &body, err);
    if (!failed)
        failed = aws_answer_container(out, buf_slice(&body), err);
    explicit_bzero(token, sizeof(token));
    if (body.data)
        explicit_bzero(body.data, body.bytes);
    buf_fini(&body);
    return failed;
}

/* ---- web identity ---- */

static int append_escaped(struct buf *out, const char *name, const char *value)
{
    char *escaped = curl_easy_escape(NULL, value, 0);
    if (!escaped)
        return -ENOMEM;
    buf_printf(out, "&%s=%s", name, escaped);
    explicit_bzero(escaped, strlen(escaped));
    curl_free(escaped);
    return 0;
}

static int from_web_identity(struct aws_keys *out, const char *region, struct error *err)
{
    const char *endpoint = environment("AWS_ENDPOINT_URL_STS");
    char url[512], token[TOKEN_BYTES_MAX];
    struct buf form = {0}, body = {0};

    int failed = read_token(environment("AWS_WEB_IDENTITY_TOKEN_FILE"), token, err);
    if (failed)
        return failed;
    snprintf(url, sizeof(url), *endpoint ? "%s" : "https://sts.%s.amazonaws.com/", *endpoint ? endpoint : region);
    if (!aws_keys_url_trusted(url))
        return error_set(err, -EINVAL, "AWS_ENDPOINT_URL_STS is neither https nor of this machine, or names a user");
    buf_printf(&form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=tallyd");
    failed = append_escaped(&form, "RoleArn", environment("AWS_ROLE_ARN"));
    if (!failed)
        failed = append_escaped(&form, "WebIdentityToken", token);
    buf_append(&form, "", 1);
    if (failed || form.failed)
        failed = error_set(err, -ENOMEM, "no memory for an HTTP request");
    if (!failed)
        failed = aws_http_fetch(url, form.data, NULL, &body, err);
    if (!failed)
        failed = aws_answer_sts(out, buf_slice(&body), err);
    explicit_bzero(token, sizeof(token));
    if (form.data)
        explicit_bzero(form.data, form.bytes);
    if (body.data)
        explicit_bzero(body.data, body.bytes);
    buf_fini(&form);
    buf_fini(&body);
    return failed;
}

/* ---- which ---- */

static int from_environment(struct aws_keys *out, struct error *err)
{
    const char *id = environment("AWS_ACCESS_KEY_ID"), *secret = environment("AWS_SECRET_ACCESS_KEY");
    const char *token = environment("AWS_SESSION_TOKEN");

    out->expires_s = INT64_MAX;
    return AWS_COPY(out->access_key_id, id, strlen(id)) && AWS_COPY(out->secret_access_key, secret, strlen(secret)) &&
                   AWS_COPY(out->session_token, token, strlen(token))
               ? 0
               : error_set(err, -EINVAL, "a key is too long");
}

int aws_keys_fetch(struct aws_keys *out, const char *region, struct error *err)
{
    struct aws_keys keys = {0};
    struct error why = {0};
    const char *source;
    int failed;

    if (*environment("AWS_ACCESS_KEY_ID") && *environment("AWS_SECRET_ACCESS_KEY")) {
        source = "the environment";
        failed = from_environment(&keys, &why);
    } else if (*environment("AWS_WEB_IDENTITY_TOKEN_FILE") && *environment("AWS_ROLE_ARN")) {
        source = "STS (web identity)";
        failed = from_web_identity(&keys, region, &why);
    } else if (*environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
               *environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
        source = "the container's endpoint";
        failed = from_container(&keys, &why);
    } else {
        return error_set(
            err, -ENOENT,
            "no AWS keys: neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, nor "
            "AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
    }
    if (failed) {
        aws_keys_wipe(&keys);
        return error_set(err, failed, "no AWS keys from %s: %s", source, why.text);
    }
    *out = keys;
    aws_keys_wipe(&keys);
    return 0;
}

void aws_keys_wipe(struct aws_keys *keys) { explicit_bzero(keys, sizeof(*keys)); }
