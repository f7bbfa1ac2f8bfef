/* Files of tokens, access rules and bots, and the list of trusted proxies, from any bytes: the first byte says which.
 * What is refused has a sentence; what is taken has something in it, ends with a line end, and answers every question.
 * A policy that is read again hands the other parts over, and each is freed once (AddressSanitizer). */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/access.h"
#include "policy/bots.h"
#include "policy/client.h"
#include "policy/policy.h"
#include "policy/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char *text_of(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    assert(text);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

static void policy_ask(const struct policy *p, const char *text)
{
    struct http_request r = {0};
    size_t bytes = strlen(text);
    r.field[HTTP_FIELD_USER_AGENT] = r.field[HTTP_FIELD_ORIGIN] = r.field[HTTP_FIELD_AUTHORIZATION] =
        (struct slice){text, bytes < 700 ? bytes : 700};
    enum api_refusal why = policy_check(p, &r, SLICE("blog/a"));
    assert(why <= API_ALLOWED);
    if (p->tokens)
        assert(tokens_check(p->tokens, slice_of("Bearer no-such-token-is-there"), TOKEN_WRITE, SLICE("blog")) !=
               TOKEN_GOOD);
}

static int part_read(struct policy *p, enum policy_part part, const char *text)
{
    struct error err = {0};
    char *copy = text_of((const uint8_t *)text, strlen(text));
    int failed;
    switch (part) {
    case POLICY_TOKENS:
        failed = tokens_create(&p->tokens, copy, &err);
        free(copy);
        break;
    case POLICY_ACCESS: failed = access_create(&p->access, copy, &err); break;
    default: failed = bots_create(&p->bots, copy, &err); break;
    }
    assert(failed ? strlen(err.text) > 5 : policy_count(p, part) > 0);
    assert(failed || text[strlen(text) - 1] == '\n');
    return failed;
}

/* As main does it when one file has changed. */
static void policy_reload(enum policy_part part, const char *text)
{
    struct policy *old = calloc(1, sizeof(*old)), *next = calloc(1, sizeof(*next));
    assert(old && next);
    assert(part_read(old, POLICY_TOKENS, "0123456789abcdef write\n") == 0);
    assert(part_read(old, POLICY_ACCESS, "blog key a\n") == 0);
    assert(part_read(old, POLICY_BOTS, "bot\n") == 0);
    part_read(next, part, text);
    for (int i = 0; i < POLICY_PARTS; i++)
        if (policy_count(next, (enum policy_part)i) == 0)
            policy_hand_over(old, next, (enum policy_part)i);
    policy_ask(old, text);
    policy_ask(next, text);
    policy_destroy(old);
    policy_ask(next, text);
    policy_destroy(next);
}

/* A field of one line, as the parser leaves it: no line ends. Fields of many lines are fuzz_request.c's. */
static void proxies_read(char *text)
{
    for (char *at = text; (at = strpbrk(at, "\r\n"));)
        *at = ' ';
    struct proxies p;
    struct ip peer = {0};
    struct http_request r = {0};
    r.field[HTTP_FIELD_X_FORWARDED_FOR] = slice_of(text);
    if (proxies_parse(&p, text) == 0)
        client_find(&p, &peer, &r);
    assert(proxies_parse(&p, "0.0.0.0/0,::/0") == 0);
    client_find(&p, &peer, &r); /* all are trusted: the whole list is walked */
    r.field[HTTP_FIELD_FORWARDED] = r.field[HTTP_FIELD_X_FORWARDED_FOR];
    r.field[HTTP_FIELD_X_FORWARDED_FOR] = (struct slice){0};
    client_find(&p, &peer, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0)
        return 0;
    char *text = text_of(data + 1, bytes - 1);
    if (*data % 4 == POLICY_PARTS)
        proxies_read(text);
    else
        policy_reload(*data % 4, text);
    free(text);
    return 0;
}
