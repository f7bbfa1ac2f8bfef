#include "api/bots.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_BYTES_MAX 512 /* of a longer one only these are looked at */

struct bots {
    char *text; /* owned; the words point into it */
    uint32_t count;
    const char *words[BOTS_MAX]; /* in lower case */
};

static char *line_trim(char *line)
{
    line += strspn(line, " \t\r");
    size_t bytes = strlen(line);
    while (bytes > 0 && strchr(" \t\r", line[bytes - 1]))
        line[--bytes] = '\0';
    for (char *at = line; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return line;
}

int bots_create(struct bots **out, char *text, struct error *err)
{
    struct bots *b = calloc(1, sizeof *b);
    if (!b) {
        free(text);
        return error_set(err, -ENOMEM, "no memory for bots");
    }
    b->text = text;
    for (char *line; (line = strsep(&text, "\n"));) {
        line = line_trim(line);
        if (*line == '\0' || *line == '#')
            continue;
        if (b->count == BOTS_MAX) {
            bots_destroy(b);
            return error_set(err, -EINVAL, "it has more than %d lines", BOTS_MAX);
        }
        b->words[b->count++] = line;
    }
    *out = b;
    return 0;
}

void bots_destroy(struct bots *b)
{
    if (b)
        free(b->text);
    free(b);
}

bool bots_know(const struct bots *b, struct slice user_agent)
{
    char lower[AGENT_BYTES_MAX + 1];
    size_t bytes = user_agent.bytes < AGENT_BYTES_MAX ? user_agent.bytes : AGENT_BYTES_MAX;
    for (size_t i = 0; i < bytes; i++)
        lower[i] = (char)tolower((unsigned char)user_agent.at[i]);
    lower[bytes] = '\0';
    for (uint32_t i = 0; i < b->count; i++)
        if (strstr(lower, b->words[i]))
            return true;
    return false;
}
