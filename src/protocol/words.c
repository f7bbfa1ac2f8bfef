#include "protocol/words.h"

#include <strings.h>

#define PIECE_BYTES_MIN 4
#define PIECE_BYTES_MAX 8

void words_take(char out[WORDS_BYTES], struct slice text)
{
    size_t bytes = text.bytes < WORDS_BYTES ? text.bytes : WORDS_BYTES - 1;

    if (bytes)
        memcpy(out, text.at, bytes);
    out[bytes] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    char *arguments = strcasestr(out, "with args");
    if (arguments)
        *arguments = '\0';
}

static size_t piece_bytes(size_t secret_bytes)
{
    size_t half = secret_bytes / 2;

    if (half >= PIECE_BYTES_MAX)
        return PIECE_BYTES_MAX;
    if (half >= PIECE_BYTES_MIN)
        return half;
    return secret_bytes < PIECE_BYTES_MIN ? secret_bytes : PIECE_BYTES_MIN;
}

static bool holds(const char *words, const char *piece, size_t bytes)
{
    for (size_t all = strlen(words), at = 0; at + bytes <= all; at++) {
        if (strncasecmp(words + at, piece, bytes) == 0)
            return true;
    }
    return false;
}

bool words_reveal(const char *words, struct slice secret)
{
    size_t bytes = piece_bytes(secret.bytes);

    for (size_t at = 0; bytes && at + bytes <= secret.bytes; at++) {
        if (holds(words, secret.at + at, bytes))
            return true;
    }
    return false;
}

void words_forget(struct buf *secret)
{
    if (secret->data)
        explicit_bzero(secret->data, secret->capacity);
    buf_fini(secret);
}
