#include "http/response.h"

const char *http_status_phrase(int status)
{
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
    }
}

/* RFC 9110 section 6.4.1, sections 15.3.5 and 15.4.5: these end with their head. */
static bool status_has_content(int status) { return status != 204 && status != 304; }

static void append_text(struct buf *out, const char *text) { buf_append(out, text, strlen(text)); }

static void append_line(struct buf *out, const char *name, const char *value)
{
    append_text(out, name);
    append_text(out, value);
    buf_append(out, "\r\n", 2);
}

static void append_connection(struct buf *out, const struct http_request *r, bool close)
{
    if (close || r == NULL || !r->keep_alive)
        append_line(out, "Connection: ", "close");
    else if (r->minor_version == 0)
        append_line(out, "Connection: ", "keep-alive");
}

void http_response_write(struct buf *out, const struct http_request *r, const struct http_response *response,
                         const char *date)
{
    bool has_content = status_has_content(response->status);

    append_text(out, "HTTP/1.1 ");
    buf_append_u64(out, (uint64_t)response->status);
    append_line(out, " ", http_status_phrase(response->status));
    append_text(out, "Date: ");
    buf_append(out, date, HTTP_DATE_BYTES);
    buf_append(out, "\r\n", 2);
    if (response->content_type != NULL) {
        append_line(out, "Content-Type: ", response->content_type);
        append_text(out, HTTP_SAFE_HEADERS);
        append_line(out, "Content-Security-Policy: ", response->policy != NULL ? response->policy : HTTP_POLICY_NONE);
    }
    if (response->chunked) {
        append_text(out, "Transfer-Encoding: chunked\r\n");
    } else if (has_content && !response->streams) {
        append_text(out, "Content-Length: ");
        buf_append_u64(out, response->body.bytes);
        buf_append(out, "\r\n", 2);
    }
    append_connection(out, r, response->close);
    buf_append_slice(out, response->extra);
    buf_append(out, "\r\n", 2);
    if (has_content && (r == NULL || r->method != HTTP_HEAD))
        buf_append_slice(out, response->body);
}
