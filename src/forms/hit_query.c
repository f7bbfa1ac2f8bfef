#include "forms/hit_query.h"

#include "http/request.h"

#define N_MAX 2147483647u
#define N_DIGITS_MAX 10

enum hit_form hit_suffix_take(struct slice *path)
{
    struct slice suffix = {path->at + path->bytes - HIT_SUFFIX_BYTES, HIT_SUFFIX_BYTES};
    enum hit_form form = slice_equals(suffix, SLICE(".gif"))   ? HIT_GIF
                         : slice_equals(suffix, SLICE(".svg")) ? HIT_SVG
                                                               : HIT_PLAIN;
    if (form != HIT_PLAIN)
        path->bytes -= HIT_SUFFIX_BYTES;
    return form;
}

/* Digits only, no leading zero, 1…2^31-1 (DESIGN 4.5). */
static bool parse_n(struct slice text, uint64_t *n)
{
    char digits[N_DIGITS_MAX];
    uint64_t value = 0;
    if (text.bytes > 0 && memchr(text.at, '%', text.bytes)) {
        int bytes = http_percent_decode(text, false, digits, sizeof(digits));
        text = (struct slice){digits, bytes > 0 ? (size_t)bytes : 0};
    }
    if (text.bytes == 0 || text.bytes > N_DIGITS_MAX || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    *n = value;
    return value <= N_MAX;
}

enum parameter {
    PARAMETER_N,
    PARAMETER_VALUE,
    PARAMETER_ACK,
    PARAMETER_KEY,
    PARAMETER_LABEL,
    PARAMETER_COLOR,
    PARAMETER_LABEL_COLOR,
    PARAMETER_FORMAT,
    PARAMETERS
};

static enum parameter parameter_find(struct slice name)
{
    static const struct slice names[PARAMETERS] = {
        {"n", 1}, {"value", 5}, {"ack", 3}, {"key", 3}, {"label", 5}, {"color", 5}, {"label_color", 11}, {"format", 6},
    };
    enum parameter at = 0;
    while (at < PARAMETERS && !http_query_is(name, names[at]))
        at++;
    return at;
}

static enum api_refusal parameter_read(enum parameter parameter, struct slice value, struct hit_query *out)
{
    switch (parameter) {
    case PARAMETER_N: return parse_n(value, &out->n) ? API_ALLOWED : API_REFUSED_BAD_N;
    case PARAMETER_VALUE:
        out->wants_value = http_query_is(value, SLICE("1"));
        return out->wants_value || http_query_is(value, SLICE("0")) ? API_ALLOWED : API_REFUSED_BAD_QUERY;
    case PARAMETER_ACK:
        out->wants_stored = http_query_is(value, SLICE("stored"));
        return out->wants_stored ? API_ALLOWED : API_REFUSED_BAD_QUERY;
    case PARAMETER_KEY: out->key = value; break;
    case PARAMETER_LABEL: out->label = value; break;
    case PARAMETER_COLOR: out->color = value; break;
    case PARAMETER_LABEL_COLOR: out->label_color = value; break;
    case PARAMETER_FORMAT: out->format = value; break;
    case PARAMETERS: break;
    }
    return API_ALLOWED;
}

enum api_refusal hit_query_read(struct slice query, struct hit_query *out)
{
    struct slice name, value;
    unsigned seen = 0;
    while (http_query_next(&query, &name, &value)) {
        enum parameter parameter = parameter_find(name);
        if (parameter == PARAMETERS)
            continue;
        if (seen & 1u << parameter)
            return API_REFUSED_BAD_QUERY;
        seen |= 1u << parameter;
        enum api_refusal why = parameter_read(parameter, value, out);
        if (why != API_ALLOWED)
            return why;
    }
    return out->wants_stored && out->wants_value ? API_REFUSED_BAD_QUERY : API_ALLOWED;
}
