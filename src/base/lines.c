#include "base/lines.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define SPACE " \t\r"

/* 0: it is not well-formed, or a control byte that no editor writes. */
static size_t char_bytes(struct slice text)
{
    unsigned char first = (unsigned char)*text.at;
    bool control = (first < 0x20 && !strchr("\t\r\n", first)) || first == 0x7f;
    return control ? 0 : utf8_char_bytes(text);
}

int lines_check(const char *text, struct error *err)
{
    struct slice rest = {text, strlen(text)};
    unsigned number = 1;
    if (rest.bytes == 0)
        return error_set(err, -EINVAL, "it is empty");
    while (rest.bytes > 0) {
        size_t bytes = char_bytes(rest);
        if (bytes == 0)
            return error_set(err, -EINVAL, "line %u has a byte that is not UTF-8, or a control character", number);
        number += *rest.at == '\n';
        rest.at += bytes;
        rest.bytes -= bytes;
    }
    if (rest.at[-1] != '\n')
        return error_set(err, -EINVAL, "line %u, the last, has no line end: the file may have been cut off", number);
    return 0;
}

static char *line_trim(char *line)
{
    line += strspn(line, SPACE);
    size_t bytes = strlen(line);
    while (bytes > 0 && strchr(SPACE, line[bytes - 1]))
        line[--bytes] = '\0';
    return line;
}

char *lines_next(struct lines *l)
{
    for (char *line; (line = strsep(&l->rest, "\n"));) {
        l->number++;
        line = line_trim(line);
        if (*line != '\0' && *line != '#')
            return line;
    }
    return NULL;
}
