#include "redis/iam.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "redis/aws_keys.h"
#include "redis/sigv4.h"

#define TOKEN_LIFE_S 900
#define KEYS_SPARE_S 300

struct iam {
    struct iam_config config;
    struct aws_keys keys; /* expires_s 0: none yet */
    struct buf token;
};

static void token_wipe(struct iam *i)
{
    if (i->token.data)
        explicit_bzero(i->token.data, i->token.capacity);
    buf_clear(&i->token);
}

static const char *iam_password(void *ctx, struct error *err)
{
    struct iam *i = ctx;
    char query[256];
    int64_t now_s = clock_wall_ms() / 1000;

    if (i->keys.expires_s - KEYS_SPARE_S <= now_s && aws_keys_fetch(&i->keys, i->config.region, err) < 0)
        return NULL;
    const struct sigv4_keys keys = {i->keys.access_key_id, i->keys.secret_access_key, i->keys.session_token};
    snprintf(query, sizeof(query), "Action=connect&User=%s", i->config.user);
    const struct sigv4_request request = {
        .host = i->config.cluster,
        .path = "/",
        .query = query,
        .service = "memorydb",
        .region = i->config.region,
        .payload_sha256 = SIGV4_EMPTY_SHA256,
        .expires_s = TOKEN_LIFE_S,
        .wall_s = now_s,
    };
    token_wipe(i);
    int failed = sigv4_presign(&i->token, &keys, &request);
    buf_append(&i->token, "", 1);
    if (!failed && !i->token.failed)
        return i->token.data;
    error_set(err, -ENOMEM, "no memory for an IAM token");
    return NULL;
}

int iam_create(struct iam **out, const struct iam_config *config, struct error *err)
{
    struct iam *i = calloc(1, sizeof(*i));

    if (!i || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(i);
        return error_set(err, -ENOMEM, "no memory for IAM authentication");
    }
    i->config = *config;
    *out = i;
    return 0;
}

void iam_destroy(struct iam *i)
{
    if (!i)
        return;
    token_wipe(i);
    buf_fini(&i->token);
    aws_keys_wipe(&i->keys);
    free(i);
    curl_global_cleanup();
}

struct credentials iam_credentials(struct iam *i)
{
    return (struct credentials){.password = iam_password, .ctx = i, .iam = true, .reconnect_ms = IAM_RECONNECT_MS};
}
