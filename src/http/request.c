#include "http/request.h"

#include "http/scan.h"

static void slice_rebase(struct slice *s, const char *from, const char *to)
{
    if (s->at != NULL)
        s->at = to + (s->at - from);
}

void http_request_rebase(struct http_request *r, const char *from, const char *to)
{
    slice_rebase(&r->method_text, from, to);
    slice_rebase(&r->path, from, to);
    slice_rebase(&r->query, from, to);
    slice_rebase(&r->host, from, to);
    for (int i = 0; i < HTTP_FIELDS; i++)
        slice_rebase(&r->field[i], from, to);
}

bool http_query_next(struct slice *rest, struct slice *name, struct slice *value)
{
    const char *at = rest->at, *end = at + rest->bytes;

    while (at < end && *at == '&')
        at++;
    if (at == end)
        return false;
    const char *pair = at;
    const char *next = memchr(at, '&', (size_t)(end - at));
    const char *pair_end = next != NULL ? next : end;
    const char *equals = memchr(pair, '=', (size_t)(pair_end - pair));
    const char *name_end = equals != NULL ? equals : pair_end;
    const char *value_start = equals != NULL ? equals + 1 : pair_end;

    *name = (struct slice){pair, (size_t)(name_end - pair)};
    *value = (struct slice){value_start, (size_t)(pair_end - value_start)};
    *rest = (struct slice){pair_end, (size_t)(end - pair_end)};
    return true;
}

int http_percent_decode(struct slice in, bool plus, char *out, size_t out_max)
{
    size_t bytes = 0;

    for (size_t i = 0; i < in.bytes; i++) {
        char c = in.at[i];
        if (c == '%') {
            if (in.bytes - i < 3 || !byte_is(in.at[i + 1], BYTE_HEX) || !byte_is(in.at[i + 2], BYTE_HEX))
                return -1;
            c = (char)(byte_hex_value(in.at[i + 1]) << 4 | byte_hex_value(in.at[i + 2]));
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (bytes == out_max)
            return -1;
        out[bytes++] = c;
    }
    return (int)bytes;
}

bool http_query_is(struct slice raw, struct slice word)
{
    char text[32];

    if (raw.bytes <= word.bytes || memchr(raw.at, '%', raw.bytes) == NULL)
        return slice_equals(raw, word);
    int bytes = http_percent_decode(raw, true, text, sizeof(text));
    return bytes >= 0 && slice_equals((struct slice){text, (size_t)bytes}, word);
}
