#pragma once
/* A secret in a file, as Kubernetes mounts it. It is the text without the line end.
 *
 * Thread: any. */

#include <stddef.h>

#include "base/error.h"

#define SECRET_BYTES_MAX 4096

/* Returns 0, or -errno with a sentence that has the path but nothing of the contents. */
int secret_read(const char *path, char out[SECRET_BYTES_MAX + 1], struct error *err);
/* Overwrites it, even where the compiler sees that nobody reads it again. */
void secret_wipe(char *secret, size_t bytes);
