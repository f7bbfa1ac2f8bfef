#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/file_guard.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static int stream_read(FILE *stream, const char *path, size_t bytes_max, char **out, struct error *err)
{
    struct stat st;
    if (fstat(fileno(stream), &st) != 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    int guarded = file_guard(path, &st, err);
    if (guarded != 0)
        return guarded;
    char *text = malloc(bytes_max + 1);
    if (text == NULL)
        return -ENOMEM;
    size_t bytes = fread(text, 1, bytes_max, stream);
    /* Behind a NUL nothing would be read, and what stands there would be missed in silence. */
    int result = ferror(stream) ? -EIO : fgetc(stream) != EOF ? -EFBIG : memchr(text, '\0', bytes) ? -EILSEQ : 0;
    if (result != 0) {
        explicit_bzero(text, bytes_max);
        free(text);
        return result;
    }
    text[bytes] = '\0';
    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) /* some editors write it, and nobody sees it */
        memmove(text, text + strlen(BYTE_ORDER_MARK), bytes + 1 - strlen(BYTE_ORDER_MARK));
    *out = text;
    return 0;
}

int file_read(const char *path, size_t bytes_max, char **out, struct error *err)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return error_set(err, -errno, "cannot open '%s': %s", path, strerror(errno));
    int result = stream_read(stream, path, bytes_max, out, err);
    fclose(stream);
    if (result == -EPERM)
        return result; /* file_guard() has said why */
    if (result == -EFBIG)
        return error_set(err, result, "'%s' is larger than %zu bytes", path, bytes_max);
    if (result == -EILSEQ)
        return error_set(err, result, "'%s' holds a NUL byte, so it is no text", path);
    return result == 0 ? 0 : error_set(err, result, "cannot read '%s': %s", path, strerror(-result));
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(" \t\r", text[bytes - 1]) != NULL)
        bytes--;
    text[bytes] = '\0';
    return text;
}

static void comment_cut(char *text)
{
    for (char *at = text; (at = strchr(at, '#')) != NULL; at++) {
        if (at == text || at[-1] == ' ' || at[-1] == '\t') {
            *at = '\0';
            return;
        }
    }
}

enum config_result config_next(char **rest, struct config_line *line)
{
    while (**rest != '\0') {
        char *text = *rest, *end = text + strcspn(text, "\n");
        *rest = *end == '\n' ? end + 1 : end;
        *end = '\0';
        line->number++;
        comment_cut(text);
        text = trim(text);
        if (*text == '\0')
            continue;
        char *equals = strchr(text, '=');
        if (equals == NULL || equals == text)
            return CONFIG_BAD;
        *equals = '\0';
        line->name = trim(text);
        line->value = trim(equals + 1);
        return CONFIG_LINE;
    }
    return CONFIG_END;
}
