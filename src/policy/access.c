#include "policy/access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "policy/origin.h"
#include "tally/name.h"

#define SPACE " \t\r"
#define ORIGIN_BYTES_MAX 512

enum rule_kind {
    RULE_ORIGIN,
    RULE_TOKEN,
    RULE_KEY,
    RULE_PREFIX, /* a key that ended in '*' */
    RULE_KINDS,
};

struct rule {
    struct slice ns; /* "*": of those without rules of their own */
    enum rule_kind kind;
    struct slice value; /* of a token: empty */
};

/* The rules of one namespace; those of a kind begin at first[kind], end before first[kind + 1], and are in the order of
 * their values. */
struct section {
    struct slice ns;
    uint32_t first[RULE_KINDS + 1];
};

/* A hit is judged by halving: 10 000 rules cost it little more than one. */
struct access {
    char *text; /* owned; the rules point into it */
    uint32_t rules_count, sections_count, read;
    struct rule rules[ACCESS_RULES_MAX];
    struct section sections[ACCESS_RULES_MAX];
};

static bool kind_parse(struct rule *rule, const char *word)
{
    static const char *const words[] = {[RULE_ORIGIN] = "origin", [RULE_TOKEN] = "token", [RULE_KEY] = "key"};
    for (rule->kind = RULE_ORIGIN; rule->kind <= RULE_KEY; rule->kind++) /* no word says RULE_PREFIX */
        if (strcmp(word, words[rule->kind]) == 0)
            return true;
    return false;
}

/* A last '*' makes it a prefix. False when no key has this value, or begins with it: the rule would match nothing, and
 * nobody would know why. */
static bool key_parse(struct rule *rule)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    if (rule->value.at[rule->value.bytes - 1] == '*') {
        rule->kind = RULE_PREFIX;
        rule->value.bytes--;
    }
    enum name_error error = name_from_parts(SLICE("any"), rule->value, scratch, &name);
    return error == NAME_OK || (error == NAME_NO_KEY && rule->kind == RULE_PREFIX);
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
    if (rule->kind == RULE_KEY && !key_parse(rule))
        return false;
    return strcmp(ns, "*") == 0 || name_check_ns(rule->ns) == NAME_OK;
}

/* The value is compared with what browsers send: another spelling would match nothing, and nobody would know why. */
static int origin_check(const struct rule *rule, unsigned number, struct error *err)
{
    char space[ORIGIN_BYTES_MAX];
    struct buf sent = buf_over(space, sizeof(space));
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

static int rules_compare(const void *one, const void *other)
{
    const struct rule *a = one, *b = other;
    int order = slice_compare(a->ns, b->ns);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    return order != 0 ? order : slice_compare(a->value, b->value);
}

/* Whether `rule`, which comes right behind `kept` in their order, says no more than that. */
static bool rule_is_covered(const struct rule *kept, const struct rule *rule)
{
    if (rule->kind != kept->kind || !slice_equals(rule->ns, kept->ns))
        return false;
    return rule->kind == RULE_PREFIX ? slice_begins_with(rule->value, kept->value)
                                     : slice_equals(rule->value, kept->value);
}

/* Sorts the rules, leaves out those that others cover, and finds the sections. No prefix begins with another then, so
 * only the last one that is not behind a key can be its beginning. */
static void rules_arrange(struct access *a)
{
    uint32_t kept = 0;
    qsort(a->rules, a->rules_count, sizeof(*a->rules), rules_compare);
    for (uint32_t i = 0; i < a->rules_count; i++)
        if (kept == 0 || !rule_is_covered(&a->rules[kept - 1], &a->rules[i]))
            a->rules[kept++] = a->rules[i];
    a->rules_count = kept;
    for (uint32_t i = 0; i < kept; i++) {
        const struct rule *rule = &a->rules[i];
        if (i == 0 || !slice_equals(rule->ns, a->rules[i - 1].ns)) {
            struct section *new = &a->sections[a->sections_count++];
            new->ns = rule->ns;
            for (int kind = 0; kind <= RULE_KINDS; kind++)
                new->first[kind] = i;
        }
        for (int kind = rule->kind + 1; kind <= RULE_KINDS; kind++)
            a->sections[a->sections_count - 1].first[kind] = i + 1;
    }
}

static int access_parse(struct access *a, struct error *err)
{
    struct lines lines = {.rest = a->text};
    int failed = lines_check(a->text, err);
    if (failed)
        return failed;
    for (char *line; (line = lines_next(&lines)) && !failed;) {
        if (a->rules_count == ACCESS_RULES_MAX || !rule_parse(&a->rules[a->rules_count++], line))
            return error_set(
                err, -EINVAL,
                "line %u is not \"NAMESPACE origin URL\", \"NAMESPACE token\" or \"NAMESPACE key KEY\" with "
                "a key that can be, or is one of more than %d",
                lines.number, ACCESS_RULES_MAX);
        failed = origin_check(&a->rules[a->rules_count - 1], lines.number, err);
    }
    if (failed)
        return failed;
    a->read = a->rules_count;
    rules_arrange(a);
    return a->read ? 0 : error_set(err, -EINVAL, "it has no rule");
}

int access_create(struct access **out, char *text, struct error *err)
{
    struct access *a = calloc(1, sizeof(*a));
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

uint32_t access_count(const struct access *a) { return a->read; }

void access_destroy(struct access *a)
{
    if (a)
        free(a->text);
    free(a);
}

static const struct section *section_find(const struct access *a, struct slice ns)
{
    uint32_t low = 0, high = a->sections_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(a->sections[middle].ns, ns);
        if (order == 0)
            return &a->sections[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool section_has(const struct section *s, enum rule_kind kind) { return s->first[kind] < s->first[kind + 1]; }

/* The last rule of this kind whose value is not behind `value`; NULL: there is none. */
static const struct rule *rule_before(const struct access *a, const struct section *s, enum rule_kind kind,
                                      struct slice value)
{
    uint32_t low = s->first[kind], high = s->first[kind + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slice_compare(a->rules[middle].value, value) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > s->first[kind] ? &a->rules[low - 1] : NULL;
}

static bool names_value(const struct access *a, const struct section *s, enum rule_kind kind, struct slice value)
{
    const struct rule *rule = rule_before(a, s, kind, value);
    return rule && (kind == RULE_PREFIX ? slice_begins_with(value, rule->value) : slice_equals(value, rule->value));
}

static bool key_is_allowed(const struct access *a, const struct section *s, struct slice key)
{
    if (!section_has(s, RULE_KEY) && !section_has(s, RULE_PREFIX))
        return true;
    return names_value(a, s, RULE_KEY, key) || names_value(a, s, RULE_PREFIX, key);
}

static bool origin_is_allowed(const struct access *a, const struct section *s, const struct http_request *r)
{
    struct slice origin = r->field[HTTP_FIELD_ORIGIN];
    if (!origin.at) /* an image's request never has one (Fetch standard, "append a request Origin header") */
        origin = origin_of(r->field[HTTP_FIELD_REFERER]);
    return origin.at && names_value(a, s, RULE_ORIGIN, origin);
}

enum api_refusal access_check(const struct access *a, const struct tokens *tokens, const struct http_request *r,
                              struct slice name)
{
    struct slice ns = name_ns(name);
    const struct section *s = section_find(a, ns);
    if (!s)
        s = section_find(a, SLICE("*"));
    if (s && !key_is_allowed(a, s, name_key(name)))
        return API_REFUSED_KEY_NOT_ALLOWED;
    bool origins = s && section_has(s, RULE_ORIGIN), token = s && section_has(s, RULE_TOKEN);
    if ((!origins && !token) || (origins && origin_is_allowed(a, s, r)))
        return API_ALLOWED;
    if (!token)
        return API_REFUSED_ORIGIN;
    bool good = tokens && tokens_check(tokens, r->field[HTTP_FIELD_AUTHORIZATION], TOKEN_HIT, ns) == TOKEN_GOOD;
    return good ? API_ALLOWED : API_REFUSED_TOKEN;
}
