/* The answer to a request that could not be read: what is wrong with it, and what its sender can do. */

#include <string.h>

#include "net/conns.h"

static const struct {
    const char *reason, *detail;
} details[] = {
    {"bare_cr", "a line ends in CR LF, and a CR stands nowhere else"},
    {"bare_lf", "a line ends in CR LF, not in LF alone"},
    {"body_bytes", "the body is larger than --max-body-bytes allows; send it in parts"},
    {"body_timeout", "the body did not come in time; send it at once"},
    {"chunk_end", "a chunk ends in CR LF after as many bytes as its size says"},
    {"chunk_ext", "a chunk extension is ;name or ;name=value"},
    {"chunk_overhead", "send fewer chunk extensions and trailers"},
    {"chunk_size", "a chunk begins with its size in hex digits"},
    {"chunked_not_last", "chunked is the last transfer coding, and there once"},
    {"coding_in_1_0", "HTTP/1.0 knows no Transfer-Encoding; send Content-Length"},
    {"coding_unknown", "the only transfer coding here is chunked"},
    {"content_length", "Content-Length is a number in digits"},
    {"content_length_twice", "send Content-Length once"},
    {"empty_lines", "at most four empty lines may stand before a request"},
    {"expectation", "the only expectation here is 100-continue"},
    {"field_name", "a field name has letters, digits and !#$%&'*+-.^_`|~ only"},
    {"field_value", "a field value has no control bytes"},
    {"fields", "send fewer header fields, at most 100"},
    {"head_bytes", "send fewer or shorter header fields, cookies for instance; --max-head-bytes allows no more"},
    {"head_timeout", "the header fields did not come in time; send them at once"},
    {"host", "Host is a name or an address, with a port or without"},
    {"host_missing", "HTTP/1.1 needs a Host field"},
    {"host_twice", "send Host once"},
    {"length_and_coding", "send Content-Length or Transfer-Encoding, not both"},
    {"line_bytes", "the request line is too long; send POST /v1/hits for long keys"},
    {"memory", "the memory for requests is used up just now; try again"},
    {"method", "a method has letters, digits and !#$%&'*+-.^_`|~ only; is this port meant for HTTPS?"},
    {"obs_fold", "a header field stands on one line"},
    {"proxy_header", "a connection of this proxy begins with a PROXY protocol header, version 2 (--proxy-protocol)"},
    {"space_before_colon", "no space stands between a field name and its colon"},
    {"target", "percent-encode what is no visible ASCII in the target"},
    {"target_form", "the target is a path that begins with /, or a whole http URL"},
    {"trailer", "a trailer is written like a header field"},
    {"version", "the request line ends in HTTP/1.1 or HTTP/1.0"},
    {"version_unknown", "this port speaks HTTP/1.1; HTTP/2 ends at the proxy before it"},
};

static const char *detail_of(const char *reason)
{
    for (size_t i = 0; i < sizeof(details) / sizeof(*details); i++)
        if (strcmp(details[i].reason, reason) == 0)
            return details[i].detail;
    return "the request could not be read";
}

void conn_refuse(struct conns *cs, struct conn *c, int status, const char *reason, const struct http_request *r)
{
    char text[256], lines[512];
    struct buf body = buf_over(text, sizeof(text));
    struct buf headers = buf_over(lines, sizeof(lines));
    buf_printf(&body, "{\"error\":\"%s\",\"detail\":\"%s\"}\n", reason, detail_of(reason));
    buf_append_slice(&headers, cs->handler.refusal_headers);
    if (status == 503)
        buf_append_slice(&headers, SLICE("Retry-After: 1\r\n"));
    struct http_response response = {.status = status,
                                     .content_type = "application/json",
                                     .body = buf_slice(&body),
                                     .extra = buf_slice(&headers),
                                     .close = true};
    if (cs->handler.refused)
        cs->handler.refused(cs->handler.ctx, status, reason);
    if (!r && c->partial)
        r = &c->partial->request;
    http_response_write(conn_out(cs, c), r, &response, cs->date);
    conn_partial_drop(cs, c);
    conn_move(c, CONN_LAST);
    c->linger = true;
}
