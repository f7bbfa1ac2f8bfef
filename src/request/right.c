#include "request/right.h"

static const char *const not_enough[] = {
    [TOKEN_WRITE] = "this token has neither write nor write:NAMESPACE in --token-file",
    [TOKEN_READ] = "this token has neither read nor read:NAMESPACE in --token-file",
};
static const char *const missing[] = {
    [TOKEN_WRITE] = "send Authorization: Bearer with a token of --token-file that has write or write:NAMESPACE",
    [TOKEN_READ] =
        "send Authorization: Bearer with a token of --token-file that has read or read:NAMESPACE, or ask the "
        "admin port",
};

static enum token_verdict verdict_of(const struct api_worker *aw, const struct http_request *r, enum token_right right,
                                     struct slice ns)
{
    struct slice said = r->field[HTTP_FIELD_AUTHORIZATION];
    if (aw->policy && aw->policy->tokens)
        return tokens_check(aw->policy->tokens, said, right, ns);
    return said.at ? TOKEN_UNKNOWN : TOKEN_MISSING; /* without a file there is no token */
}

/* Returns whether it is TOKEN_GOOD, and answers what is not. */
static bool judge(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum token_right right,
                  enum token_verdict verdict)
{
    switch (verdict) {
    case TOKEN_GOOD: return true;
    case TOKEN_NOT_ENOUGH: answer_error(aw, r, reply, 403, "forbidden", not_enough[right], NULL); return false;
    case TOKEN_MISSING:
        answer_error(aw, r, reply, 401, "no_token", missing[right], "WWW-Authenticate: Bearer realm=\"tallyd\"\r\n");
        return false;
    default:
        answer_error(aw, r, reply, 401, "wrong_token", "this token is not in --token-file",
                     "WWW-Authenticate: Bearer realm=\"tallyd\", error=\"invalid_token\"\r\n");
        return false;
    }
}

bool right_check(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum token_right right,
                 struct slice ns)
{
    return (aw->trusted && right == TOKEN_READ) || judge(aw, r, reply, right, verdict_of(aw, r, right, ns));
}

bool right_find(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct token **out)
{
    struct slice said = r->field[HTTP_FIELD_AUTHORIZATION];
    enum token_verdict verdict = said.at ? TOKEN_UNKNOWN : TOKEN_MISSING;
    *out = NULL;
    if (aw->trusted)
        return true;
    if (aw->policy && aw->policy->tokens)
        verdict = tokens_find(aw->policy->tokens, said, out);
    if (verdict == TOKEN_GOOD && !token_may_some(*out, TOKEN_READ))
        verdict = TOKEN_NOT_ENOUGH;
    return judge(aw, r, reply, TOKEN_READ, verdict);
}

bool right_reads(const struct token *token, struct slice ns) { return !token || token_may(token, TOKEN_READ, ns); }
