#include <errno.h>
#include <stdlib.h>

#include "http/response.h"

enum variant { VARIANT_PLAIN, VARIANT_CLOSE, VARIANT_KEEP_ALIVE, VARIANTS };

/* HEAD is no text of its own: it is a text without its last `body_bytes`. */
struct http_template {
    struct buf text[VARIANTS]; /* owned; data does not move after create */
    size_t date_at;            /* the same in all: only the status line and "Date: " go before */
    size_t body_bytes;
};

/* A request to which http_response_write() answers in this form. */
static struct http_request variant_request(enum variant variant)
{
    return (struct http_request){
        .method = HTTP_GET,
        .minor_version = variant == VARIANT_KEEP_ALIVE ? 0 : 1,
        .keep_alive = variant != VARIANT_CLOSE,
    };
}

int http_template_create(struct http_template **out, const struct http_response *response)
{
    static const char date[] = "Thu, 01 Jan 1970 00:00:00 GMT";
    struct http_template *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return -ENOMEM;
    for (enum variant v = 0; v < VARIANTS; v++) {
        struct http_request r = variant_request(v);
        http_response_write(&t->text[v], &r, response, date);
        if (t->text[v].failed) {
            http_template_destroy(t);
            return -ENOMEM;
        }
    }
    struct slice plain = buf_slice(&t->text[VARIANT_PLAIN]);
    const char *date_at = memmem(plain.at, plain.bytes, date, HTTP_DATE_BYTES);
    const char *body_at = (const char *)memmem(plain.at, plain.bytes, "\r\n\r\n", 4) + 4;
    t->date_at = (size_t)(date_at - plain.at);
    t->body_bytes = plain.bytes - (size_t)(body_at - plain.at);
    *out = t;
    return 0;
}

void http_template_destroy(struct http_template *t)
{
    if (t == NULL)
        return;
    for (enum variant v = 0; v < VARIANTS; v++)
        buf_fini(&t->text[v]);
    free(t);
}

void http_template_date(struct http_template *t, const char *date)
{
    for (enum variant v = 0; v < VARIANTS; v++)
        memcpy(t->text[v].data + t->date_at, date, HTTP_DATE_BYTES);
}

static enum variant variant_for(const struct http_request *r, bool close)
{
    if (close || r == NULL || !r->keep_alive)
        return VARIANT_CLOSE;
    return r->minor_version == 0 ? VARIANT_KEEP_ALIVE : VARIANT_PLAIN;
}

static __attribute__((noinline)) struct slice text_of_any(const struct http_template *t, const struct http_request *r,
                                                          bool close)
{
    const struct buf *text = &t->text[variant_for(r, close)];
    size_t unsent = r != NULL && r->method == HTTP_HEAD ? t->body_bytes : 0;

    return (struct slice){text->data, text->bytes - unsent};
}

/* Nearly every hit has this form. */
static inline bool is_plain(const struct http_request *r, bool close)
{
    return !close && r != NULL && r->keep_alive && r->minor_version > 0 && r->method != HTTP_HEAD;
}

void http_template_append(const struct http_template *t, const struct http_request *r, bool close, struct buf *out)
{
    struct slice text = is_plain(r, close) ? buf_slice(&t->text[VARIANT_PLAIN]) : text_of_any(t, r, close);
    char *room = buf_reserve(out, text.bytes);

    if (room == NULL)
        return;
    memcpy(room, text.at, text.bytes);
    buf_grew(out, text.bytes);
}
