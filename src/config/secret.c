#include "config/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int secret_read(const char *path, char out[SECRET_BYTES_MAX + 1], struct error *err)
{
    char *text;
    int result = file_read(path, SECRET_BYTES_MAX, &text, err);
    if (result != 0)
        return result;
    size_t bytes = strcspn(text, "\r\n");
    if (bytes == 0)
        result = error_set(err, -EINVAL, "'%s' has no password in its first line", path);
    else
        memcpy(memset(out, 0, SECRET_BYTES_MAX + 1), text, bytes);
    secret_wipe(text, SECRET_BYTES_MAX + 1);
    free(text);
    return result;
}

void secret_wipe(char *secret, size_t bytes) { explicit_bzero(secret, bytes); }
