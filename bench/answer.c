/* Reads the status and Content-Length; 1xx, 204 and 304 have no body (RFC 9112 section 6.3). */

#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static ssize_t body_bytes(const char *head, const char *end)
{
    static const char name[] = "content-length:";
    for (const char *line = head; line < end;) {
        if ((*line | 0x20) == 'c' && strncasecmp(line, name, sizeof(name) - 1) == 0)
            return (ssize_t)strtoul(line + sizeof(name) - 1, NULL, 10);
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            break;
        line = next + 1;
    }
    return -1;
}

ssize_t answer_parse(const char *data, size_t bytes, int *status)
{
    const char *end = memmem(data, bytes, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (memcmp(data, "HTTP/1.1 ", 9) != 0)
        return -1;
    *status = atoi(data + 9);
    size_t head = (size_t)(end - data) + 4;
    if (*status < 200 || *status == 204 || *status == 304)
        return (ssize_t)head;
    ssize_t body = body_bytes(data, end + 2);
    if (body < 0)
        return -1;
    return head + (size_t)body <= bytes ? (ssize_t)(head + (size_t)body) : 0;
}
