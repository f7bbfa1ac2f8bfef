#pragma once
/* AWS keys from where a pod finds them: the environment, a web identity (IRSA), or the container's endpoint
 * (EKS Pod Identity, ECS), in the order of AWS's own SDKs.
 *
 * Thread: one at a time. aws_keys_fetch() waits for the network, at most AWS_FETCH_TIMEOUT_MS.
 * Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers", and STS AssumeRoleWithWebIdentity.
 * Failure modes: -errno and a sentence with the source and its complaint, never with a key or token in it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define AWS_FETCH_TIMEOUT_MS 3000

struct aws_keys {
    char access_key_id[132];
    char secret_access_key[132];
    char session_token[4096]; /* empty for long-lived keys */
    int64_t expires_s;        /* wall time, or INT64_MAX */
};

int aws_keys_fetch(struct aws_keys *out, const char *region, struct error *err);
/* May a token be sent to this URL? By https it may go anywhere, by http to this machine and its link only, and the URL
 * names no user. It is parsed by libcurl, which connects. */
bool aws_keys_url_trusted(const char *url);
void aws_keys_wipe(struct aws_keys *keys);
