#include "api/access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/origin.h"
#include "base/lines.h"
#include "tally/name.h"

#define SPACE " \t\r"
#define ORIGIN_BYTES_MAX 512

enum rule_kind { RULE_ORIGIN, RULE_TOKEN, RULE_KEY };

struct rule {
    enum rule_kind kind;
    struct slice ns;    /* "*": of those without rules of their own */
    struct slice value; /* of a token: empty */
    bool prefix;        /* a key that ended in '*' */
};

struct access {
    char *text; /* owned; the rules point into it */
    uint32_t count;
    struct rule rules[ACCESS_RULES_MAX];
};

static struct slice slice_of(const char *text) { return (struct slice){text, strlen(text)}; }

static bool kind_parse(struct rule *rule, const char *word)
{
    static const char *const words[] = {[RULE_ORIGIN] = "origin", [RULE_TOKEN] = "token", [RULE_KEY] = "key"};
    for (rule->kind = RULE_ORIGIN; rule->kind <= RULE_KEY; rule->kind++)
        if (strcmp(word, words[rule->kind]) == 0)
            return true;
    return false;
}

/* Whether some key has this value, or begins with it: what cannot be one would match nothing, and nobody would know
 * why. */
static bool key_can_match(const struct rule *rule)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    enum name_error error = name_from_parts(SLICE("any"), rule->value, scratch, &name);
    return error == NAME_OK || (error == NAME_NO_KEY && rule->prefix);
}

static bool rule_parse(struct rule *rule, char *line)
{
    char *rest = NULL, *ns = strtok_r(line, SPACE, &rest), *kind = strtok_r(NULL, SPACE, &rest),
         *value = strtok_r(NULL, SPACE, &rest);
    if (!kind || !kind_parse(rule, kind) || (value != NULL) != (rule->kind != RULE_TOKEN) ||
        strtok_r(NULL, SPACE, &rest))
        return false;
    rule->ns = slice_of(ns);
    rule->value = slice_of(value ? value : "");
    rule->prefix = rule->kind == RULE_KEY && value[rule->value.bytes - 1] == '*';
    rule->value.bytes -= rule->prefix;
    if (rule->kind == RULE_KEY && !key_can_match(rule))
        return false;
    return strcmp(ns, "*") == 0 || name_check_ns(rule->ns) == NAME_OK;
}

/* The value is compared with what browsers send: another spelling would match nothing, and nobody would know why. */
static int origin_check(const struct rule *rule, unsigned number, struct error *err)
{
    char space[ORIGIN_BYTES_MAX];
    struct buf sent = {.data = space, .capacity = sizeof space, .bytes_max = sizeof space};
    if (rule->kind != RULE_ORIGIN)
        return 0;
    if (!origin_write(rule->value, &sent))
        return error_set(err, -EINVAL,
                         "line %u: no browser sends the origin '%.*s'; write it like https://blog.example", number,
                         (int)rule->value.bytes, rule->value.at);
    if (!slice_equals(rule->value, buf_slice(&sent)))
        return error_set(err, -EINVAL, "line %u: no browser sends the origin '%.*s'; write '%.*s'", number,
                         (int)rule->value.bytes, rule->value.at, (int)sent.bytes, sent.data);
    return 0;
}

static int access_parse(struct access *a, struct error *err)
{
    struct lines lines = {.rest = a->text};
    int failed = lines_check(a->text, err);
    if (failed)
        return failed;
    for (char *line; (line = lines_next(&lines)) && !failed;) {
        if (a->count == ACCESS_RULES_MAX || !rule_parse(&a->rules[a->count++], line))
            return error_set(
                err, -EINVAL,
                "line %u is not \"NAMESPACE origin URL\", \"NAMESPACE token\" or \"NAMESPACE key KEY\", or is "
                "one of more than %d",
                lines.number, ACCESS_RULES_MAX);
        failed = origin_check(&a->rules[a->count - 1], lines.number, err);
    }
    if (failed)
        return failed;
    return a->count ? 0 : error_set(err, -EINVAL, "it has no rule");
}

int access_create(struct access **out, char *text, struct error *err)
{
    struct access *a = calloc(1, sizeof *a);
    if (!a) {
        free(text);
        return error_set(err, -ENOMEM, "no memory for rules");
    }
    a->text = text;
    int result = access_parse(a, err);
    if (result == 0)
        *out = a;
    else
        access_destroy(a);
    return result;
}

uint32_t access_count(const struct access *a) { return a->count; }

void access_destroy(struct access *a)
{
    if (a)
        free(a->text);
    free(a);
}

static bool rule_matches(const struct rule *rule, struct slice value)
{
    if (rule->prefix)
        return value.bytes >= rule->value.bytes && memcmp(value.at, rule->value.at, rule->value.bytes) == 0;
    return slice_equals(rule->value, value);
}

/* What the rules of one namespace say. */
struct verdict {
    bool any, keys, key_matches, origins, origin_matches, token;
};

static struct verdict rules_judge(const struct access *a, struct slice ns, struct slice key, struct slice origin)
{
    struct verdict v = {0};
    for (uint32_t i = 0; i < a->count; i++) {
        const struct rule *rule = &a->rules[i];
        if (!slice_equals(rule->ns, ns))
            continue;
        v.any = true;
        v.token |= rule->kind == RULE_TOKEN;
        v.keys |= rule->kind == RULE_KEY;
        v.key_matches |= rule->kind == RULE_KEY && rule_matches(rule, key);
        v.origins |= rule->kind == RULE_ORIGIN;
        v.origin_matches |= rule->kind == RULE_ORIGIN && origin.at && rule_matches(rule, origin);
    }
    return v;
}

enum api_refusal access_check(const struct access *a, const struct tokens *tokens, const struct http_request *r,
                              struct slice name)
{
    struct slice ns = name_ns(name), origin = r->field[HTTP_FIELD_ORIGIN];
    if (!origin.at) /* an image's request never has one (Fetch standard, "append a request Origin header") */
        origin = origin_of(r->field[HTTP_FIELD_REFERER]);
    struct verdict v = rules_judge(a, ns, name_key(name), origin);
    if (!v.any)
        v = rules_judge(a, SLICE("*"), name_key(name), origin);
    if (v.keys && !v.key_matches)
        return API_REFUSED_KEY_NOT_ALLOWED;
    if ((!v.origins && !v.token) || v.origin_matches)
        return API_REFUSAL_KINDS;
    if (!v.token)
        return API_REFUSED_ORIGIN;
    bool good = tokens && tokens_check(tokens, r->field[HTTP_FIELD_AUTHORIZATION], TOKEN_HIT, ns) == TOKEN_GOOD;
    return good ? API_REFUSAL_KINDS : API_REFUSED_TOKEN;
}
