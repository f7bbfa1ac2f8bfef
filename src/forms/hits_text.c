#include "forms/hits_text.h"

#include "forms/json.h"

struct text {
    const char *at, *end;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static char peek(struct text *t)
{
    while (t->at < t->end && is_blank(*t->at))
        t->at++;
    return t->at < t->end ? *t->at : '\0';
}

static bool take(struct text *t, char c)
{
    bool there = peek(t) == c && t->at < t->end;
    t->at += there;
    return there;
}

/* `at` stands at the opening quote. */
static bool string_skip(struct text *t)
{
    for (t->at++; t->at < t->end; t->at++) {
        if (*t->at == '"') {
            t->at++;
            return true;
        }
        t->at += *t->at == '\\' && t->at + 1 < t->end;
    }
    return false;
}

/* An object or an array with all that is in it; which bracket closes which is the reader's business. */
static bool container_skip(struct text *t)
{
    size_t depth = 0;
    while (t->at < t->end) {
        char c = *t->at;
        if (c == '"') {
            if (!string_skip(t))
                return false;
            continue;
        }
        t->at++;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth == 0)
            return true;
    }
    return false;
}

static bool value_skip(struct text *t, struct slice *value)
{
    char first = peek(t);
    const char *start = t->at;
    bool whole = true;
    if (first == '"')
        whole = string_skip(t);
    else if (first == '{' || first == '[')
        whole = container_skip(t);
    else
        while (t->at < t->end && !is_blank(*t->at) && !memchr(",]}:\"{[", *t->at, 7))
            t->at++;
    *value = (struct slice){start, (size_t)(t->at - start)};
    return whole && value->bytes > 0;
}

static bool items_read(struct text *t, struct hits_text *out)
{
    struct slice item;
    if (!take(t, '['))
        return false;
    out->items.at = t->at;
    if (peek(t) != ']')
        do {
            if (!value_skip(t, &item))
                return false;
            out->count++;
        } while (take(t, ','));
    out->items.bytes = (size_t)(t->at - out->items.at);
    return take(t, ']');
}

bool hits_text_read(struct slice body, struct hits_text *out)
{
    struct text t = {body.at, body.at + body.bytes};
    struct slice name, value;
    *out = (struct hits_text){0};
    if (body.bytes == 0 || !take(&t, '{'))
        return false;
    do {
        if (peek(&t) != '"' || !value_skip(&t, &name) || !take(&t, ':'))
            return false;
        bool is_hits = json_string_is(name, SLICE("hits"));
        if (is_hits ? out->items.at || !items_read(&t, out) : !value_skip(&t, &value))
            return false;
        if (!is_hits && !out->stranger.at)
            out->stranger = name;
    } while (take(&t, ','));
    return take(&t, '}') && peek(&t) == '\0' && t.at == t.end && (out->items.at || out->stranger.at);
}

bool hits_text_next(struct slice *items, struct slice *item)
{
    struct text t = {items->at, items->at + items->bytes};
    if (!value_skip(&t, item))
        return false;
    take(&t, ',');
    *items = (struct slice){t.at, (size_t)(t.end - t.at)};
    return true;
}
