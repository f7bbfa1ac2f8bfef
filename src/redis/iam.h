#pragma once
/* IAM authentication to MemoryDB. The password is a presigned URL without its scheme, and is good for 15 minutes.
 *
 * Thread: created by main, asked on the flusher's. AWS keys are kept until five minutes before they end.
 * A connection lives 12 hours, so it is made anew after IAM_RECONNECT_MS.
 * Source: Amazon MemoryDB Developer Guide, "Authenticating with IAM": GET http://<cluster>/?Action=connect&User=<user>,
 * service "memorydb". */

#include "redis/credentials.h"

#define IAM_RECONNECT_MS (11 * 3600 * 1000ULL)

struct iam_config {
    const char *user;    /* all three are the caller's and outlive the iam */
    const char *cluster; /* its name, in lower case */
    const char *region;
};

struct iam;

int iam_create(struct iam **out, const struct iam_config *config, struct error *err); /* 0 or -ENOMEM */
void iam_destroy(struct iam *i);
struct credentials iam_credentials(struct iam *i);
