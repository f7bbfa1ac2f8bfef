#pragma once
/* AWS Signature Version 4 for a presigned GET, which is a URL that proves for a while who made it.
 *
 * Thread: none of its own.
 * Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)". The example there is a
 * test. Failure modes: -ENOMEM from OpenSSL or the buffer, and then `out` is of no use. */

#include <stdint.h>

#include "base/buf.h"

struct sigv4_keys {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* empty for long-lived keys */
};

struct sigv4_request {
    const char *host;
    const char *path;    /* percent-encoded already */
    const char *query;   /* "Action=connect&User=app", percent-encoded, sorting before X-Amz-…. It may be empty */
    const char *service; /* "memorydb" */
    const char *region;
    const char *payload_sha256; /* in hex, or "UNSIGNED-PAYLOAD" */
    uint32_t expires_s;         /* 1…604800 */
    int64_t wall_s;             /* when it is signed, seconds since 1970 */
};

/* Appends "<host><path>?<query>…&X-Amz-Signature=<hex>", without a scheme. */
int sigv4_presign(struct buf *out, const struct sigv4_keys *keys, const struct sigv4_request *r);

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
