#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

int random_bytes(void *out, size_t bytes)
{
    char *at = out;

    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        at += got;
        bytes -= (size_t)got;
    }
    return 0;
}

int random_uuid(char out[UUID_TEXT_BYTES])
{
    uint8_t b[16];
    int failed = random_bytes(b, sizeof(b));

    if (failed)
        return failed;
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f)); /* version 4 */
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f)); /* the variant of RFC 9562 */
    snprintf(out, UUID_TEXT_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return 0;
}
