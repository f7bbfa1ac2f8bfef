#include "api/bots.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"

#define AGENT_BYTES_MAX 512 /* of a longer one only these are looked at */

struct bots {
    char *text; /* owned; the words point into it */
    uint32_t count;
    const char *words[BOTS_MAX]; /* in lower case */
};

static void text_lower(char *text)
{
    for (char *at = text; *at; at++)
        *at = (char)tolower((unsigned char)*at);
}

static int words_take(struct bots *b, struct error *err)
{
    struct lines lines = {.rest = b->text};
    int failed = lines_check(b->text, err);
    if (failed)
        return failed;
    text_lower(b->text);
    for (char *line; (line = lines_next(&lines));) {
        if (b->count == BOTS_MAX)
            return error_set(err, -EINVAL, "it has more than %d words", BOTS_MAX);
        b->words[b->count++] = line;
    }
    return b->count ? 0 : error_set(err, -EINVAL, "it has no word");
}

int bots_create(struct bots **out, char *text, struct error *err)
{
    struct bots *b = calloc(1, sizeof *b);
    if (!b) {
        free(text);
        return error_set(err, -ENOMEM, "no memory for bots");
    }
    b->text = text;
    int result = words_take(b, err);
    if (result == 0)
        *out = b;
    else
        bots_destroy(b);
    return result;
}

uint32_t bots_count(const struct bots *b) { return b->count; }

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
