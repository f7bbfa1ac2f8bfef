#include "policy/tokens.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lines.h"
#include "tally/name.h"

#define SCOPES_MAX 16
#define SPACE " \t\r"

struct scope {
    enum token_right right;
    char ns[NAME_NS_BYTES_MAX + 1]; /* empty: every one */
};

struct token {
    char text[TOKEN_BYTES_MAX]; /* padded with zeros, which no token has */
    uint32_t scopes_count;
    struct scope scopes[SCOPES_MAX];
};

struct tokens {
    uint32_t count;
    struct token all[TOKENS_MAX];
};

/* token68 of RFC 9110 section 11.2. */
static bool is_token(const char *text, size_t bytes)
{
    return bytes >= TOKEN_BYTES_MIN && bytes <= TOKEN_BYTES_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") >= bytes;
}

static bool scope_parse(struct scope *s, const char *word)
{
    const char *rights[] = {[TOKEN_WRITE] = "write", [TOKEN_HIT] = "hit", [TOKEN_READ] = "read"};
    size_t bytes = strcspn(word, ":");
    for (s->right = TOKEN_WRITE; s->right <= TOKEN_READ; s->right++) {
        if (strlen(rights[s->right]) != bytes || strncmp(word, rights[s->right], bytes) != 0)
            continue;
        if (word[bytes] == '\0')
            return true;
        struct slice ns = {word + bytes + 1, strlen(word + bytes + 1)};
        if (name_check_ns(ns) != NAME_OK)
            return false;
        memcpy(s->ns, ns.at, ns.bytes);
        return true;
    }
    return false;
}

static bool token_parse(struct token *t, char *line)
{
    char *rest = NULL, *text = strtok_r(line, SPACE, &rest), *word;
    if (!is_token(text, strlen(text)))
        return false;
    memcpy(t->text, text, strlen(text));
    while ((word = strtok_r(NULL, SPACE, &rest)))
        if (t->scopes_count == SCOPES_MAX || !scope_parse(&t->scopes[t->scopes_count++], word))
            return false;
    return t->scopes_count > 0;
}

/* Looks at every byte, whatever it finds, and at eight of them at a time, because anybody may ask for it. */
static bool texts_equal(const char a[TOKEN_BYTES_MAX], const char b[TOKEN_BYTES_MAX])
{
    volatile uint64_t differs = 0;
    for (size_t i = 0; i < TOKEN_BYTES_MAX; i += sizeof(uint64_t)) {
        uint64_t x, y;
        memcpy(&x, a + i, sizeof(x));
        memcpy(&y, b + i, sizeof(y));
        differs |= x ^ y;
    }
    return differs == 0;
}

/* A token of two lines would have the rights of one of them, and nobody would know which. */
static bool last_is_new(const struct tokens *t)
{
    for (uint32_t i = 0; i + 1 < t->count; i++)
        if (texts_equal(t->all[i].text, t->all[t->count - 1].text))
            return false;
    return true;
}

int tokens_create(struct tokens **out, char *text, struct error *err)
{
    struct lines lines = {.rest = text};
    int failed = lines_check(text, err);
    if (failed)
        return failed;
    struct tokens *t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(err, -ENOMEM, "no memory for tokens");
    for (char *line; (line = lines_next(&lines));) {
        if (t->count == TOKENS_MAX || !token_parse(&t->all[t->count++], line) || !last_is_new(t)) {
            tokens_destroy(t);
            return error_set(
                err, -EINVAL,
                "line %u is not \"TOKEN read|write|hit[:NAMESPACE] ...\" with a token of %d to %d letters, digits "
                "and -._~+/= and at least one right, or its token stands in a line before, or it is one of more than "
                "%d",
                lines.number, TOKEN_BYTES_MIN, TOKEN_BYTES_MAX, TOKENS_MAX);
        }
    }
    if (t->count == 0) {
        tokens_destroy(t);
        return error_set(err, -EINVAL, "it has no token");
    }
    *out = t;
    return 0;
}

uint32_t tokens_count(const struct tokens *t) { return t->count; }

void tokens_destroy(struct tokens *t)
{
    if (t)
        explicit_bzero(t, sizeof(*t));
    free(t);
}

bool token_may(const struct token *t, enum token_right right, struct slice ns)
{
    for (uint32_t i = 0; i < t->scopes_count; i++) {
        const struct scope *s = &t->scopes[i];
        if (s->right == right && (s->ns[0] == '\0' || slice_equals(ns, (struct slice){s->ns, strlen(s->ns)})))
            return true;
    }
    return false;
}

bool token_may_some(const struct token *t, enum token_right right)
{
    bool may = false;
    for (uint32_t i = 0; i < t->scopes_count; i++)
        may |= t->scopes[i].right == right;
    return may;
}

enum token_verdict tokens_find(const struct tokens *t, struct slice authorization, const struct token **out)
{
    static const struct slice scheme = {"Bearer ", 7};
    char given[TOKEN_BYTES_MAX] = {0};
    const struct token *found = NULL;
    if (!authorization.at || authorization.bytes <= scheme.bytes ||
        strncasecmp(authorization.at, scheme.at, scheme.bytes) != 0)
        return TOKEN_MISSING;
    struct slice token = {authorization.at + scheme.bytes, authorization.bytes - scheme.bytes};
    while (token.at[0] == ' ' && token.bytes > 1) /* 1*SP (RFC 9110 section 11.4) */
        token.at++, token.bytes--;
    if (token.bytes > sizeof(given))
        return TOKEN_UNKNOWN;
    memcpy(given, token.at, token.bytes);
    for (uint32_t i = 0; i < t->count; i++)
        if (texts_equal(given, t->all[i].text))
            found = &t->all[i];
    explicit_bzero(given, sizeof(given));
    *out = found;
    return found ? TOKEN_GOOD : TOKEN_UNKNOWN;
}

enum token_verdict tokens_check(const struct tokens *t, struct slice authorization, enum token_right right,
                                struct slice ns)
{
    const struct token *token;
    enum token_verdict verdict = tokens_find(t, authorization, &token);
    return verdict == TOKEN_GOOD && !token_may(token, right, ns) ? TOKEN_NOT_ENOUGH : verdict;
}
