#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/metrics.h"
#include "admin/status.h"
#include "config/admin_host.h"
#include "http/list.h"
#include "http/response.h"
#include "web.h"

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"

/* Liveness is that this thread answers; anything more would have a pod killed for its Redis. */
static int live_page(const struct sources *s, struct buf *out)
{
    (void)s;
    buf_append_slice(out, SLICE("ok\n"));
    return 200;
}

/* Does not depend on Redis either: hits are counted without it. */
static int ready_page(const struct sources *s, struct buf *out)
{
    enum life life = life_get(s);
    buf_printf(out, "%s\n", life_name(life));
    return life == LIFE_READY ? 200 : 503;
}

static int metrics_page(const struct sources *s, struct buf *out)
{
    metrics_print(s, false, out);
    return 200;
}

static int open_metrics_page(const struct sources *s, struct buf *out)
{
    metrics_print(s, true, out);
    return 200;
}

static int status_page(const struct sources *s, struct buf *out)
{
    status_print(s, out);
    return 200;
}

static int config_page(const struct sources *s, struct buf *out)
{
    status_print_config(s, out);
    return 200;
}

static int ranking_page(const struct sources *s, struct buf *out)
{
    status_print_ranking(s, out);
    return 200;
}

static int not_found_page(const struct sources *s, struct buf *out)
{
    (void)s;
    buf_append_slice(out, SLICE("not found; there are /metrics /livez /readyz /statusz /configz /docs /openapi.json "
                                "/dashboard /v1/keys\n"));
    return 404;
}

static int not_allowed_page(const struct sources *s, struct buf *out)
{
    (void)s;
    buf_append_slice(out, SLICE("only GET and HEAD\n"));
    return 405;
}

static int not_known_page(const struct sources *s, struct buf *out)
{
    (void)s;
    buf_append_slice(out, SLICE("this port is not known by that name; see --admin-hosts\n"));
    return 421;
}

struct page {
    struct slice path;
    const char *content_type;
    int (*print)(const struct sources *s, struct buf *out); /* the status. NULL: it is `file` */
    const char *policy;                                     /* NULL: it needs nothing */
    struct slice file;                                      /* embedded at build (web/) */
};

#define FILE_OF(bytes)                                                                                                 \
    {                                                                                                                  \
        (const char *)(bytes), sizeof(bytes)                                                                           \
    }

/* Scripts and styles are files of their own, and pages ask this port only. */
#define PAGE_POLICY                                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "    \
    "form-action 'none'; frame-ancestors 'none'"

static const struct page pages[] = {
    {SLICE("/metrics"), "text/plain; version=0.0.4; charset=utf-8", metrics_page, NULL, {0}},
    {SLICE("/livez"), TEXT, live_page, NULL, {0}},
    {SLICE("/readyz"), TEXT, ready_page, NULL, {0}},
    {SLICE("/statusz"), JSON, status_page, NULL, {0}},
    {SLICE("/configz"), JSON, config_page, NULL, {0}},
    {SLICE("/dashboard"), HTML, NULL, PAGE_POLICY, FILE_OF(web_dashboard_html)},
    {SLICE("/dashboard.js"), SCRIPT, NULL, NULL, FILE_OF(web_dashboard_js)},
    {SLICE("/dashboard.css"), STYLE, NULL, NULL, FILE_OF(web_dashboard_css)},
    {SLICE("/dashboard.json"), JSON, ranking_page, NULL, {0}},
    {SLICE("/docs"), HTML, NULL, PAGE_POLICY, FILE_OF(web_docs_html)},
    {SLICE("/docs.js"), SCRIPT, NULL, NULL, FILE_OF(web_docs_js)},
    {SLICE("/docs.css"), STYLE, NULL, NULL, FILE_OF(web_docs_css)},
    {SLICE("/openapi.json"), JSON, NULL, NULL, FILE_OF(web_openapi_json)},
};
static const struct page open_metrics = {.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
                                         .print = open_metrics_page};
static const struct page not_found = {.content_type = TEXT, .print = not_found_page};
static const struct page not_known = {.content_type = TEXT, .print = not_known_page};
static const struct page not_allowed = {.content_type = TEXT, .print = not_allowed_page};

/* Probes carry no secret, and may come by any name. */
static bool page_is_open(const struct page *page) { return page->print == live_page || page->print == ready_page; }

/* In thousandths: how much the client wants this type (RFC 9110 sections 12.4.2 and 12.5.1); 0: it does not name it. */
static int accept_quality(const struct http_request *r, struct slice type)
{
    struct list list = {r->field[HTTP_FIELD_ACCEPT], HTTP_FIELD_ACCEPT};
    struct slice element;
    int most = 0;
    while (list_last_take(&list, &element)) {
        const char *end = memchr(element.at, ';', element.bytes);
        struct slice name = {element.at, end ? (size_t)(end - element.at) : element.bytes};
        while (name.bytes > 0 && name.at[name.bytes - 1] == ' ')
            name.bytes--;
        struct slice q = list_parameter(element, SLICE("q"));
        char text[8] = "1";
        if (q.at)
            snprintf(text, sizeof(text), "%.*s", (int)q.bytes, q.at);
        int quality = (int)(strtod(text, NULL) * 1000);
        bool same = name.bytes == type.bytes && strncasecmp(name.at, type.at, type.bytes) == 0;
        most = same && quality > most ? quality : most;
    }
    return most;
}

static bool wants_open_metrics(const struct http_request *r)
{
    int quality = accept_quality(r, SLICE("application/openmetrics-text"));
    return quality > 0 && quality >= accept_quality(r, SLICE("text/plain"));
}

static const struct page *page_of(const struct http_request *r)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        if (!slice_equals(r->path, pages[i].path))
            continue;
        if (r->method != HTTP_GET && r->method != HTTP_HEAD)
            return &not_allowed;
        return pages[i].print == metrics_page && wants_open_metrics(r) ? &open_metrics : &pages[i];
    }
    return &not_found;
}

static const struct page *page_find(const struct sources *s, const struct http_request *r)
{
    const struct page *page = page_of(r);
    return page_is_open(page) || admin_host_known(s->options->admin_hosts, r->host) ? page : &not_known;
}

static bool wants_body(void *ctx, const struct http_request *r)
{
    (void)ctx;
    (void)r;
    return false;
}

static bool is_v1(const struct sources *s, const struct http_request *r)
{
    static const struct slice v1 = {"/v1/", 4};
    return s->v1.handle && r->path.bytes > v1.bytes && memcmp(r->path.at, v1.at, v1.bytes) == 0 &&
           admin_host_known(s->options->admin_hosts, r->host);
}

static enum handler_result handle(void *ctx, const struct http_request *r, struct reply *reply)
{
    const struct sources *s = ctx;
    if (is_v1(s, r))
        return s->v1.handle(s->v1.ctx, r, reply);
    const struct page *page = page_find(s, r);
    struct buf body = {0};
    struct http_response response = {.content_type = page->content_type, .policy = page->policy, .close = reply->close};
    response.status = page->print ? page->print(s, &body) : 200;
    response.extra = page == &not_allowed ? SLICE("Allow: GET, HEAD\r\nCache-Control: no-store\r\n")
                                          : SLICE("Cache-Control: no-store\r\n");
    response.body = page->print ? buf_slice(&body) : page->file;
    if (body.failed) /* half a page would be read as a whole one */
        response = (struct http_response){.status = 503, .close = true};
    http_response_write(reply->out, r, &response, reply->date);
    buf_fini(&body);
    return HANDLED;
}

/* Only what /v1/ takes waits. */
static enum handler_result resume(void *ctx, const struct http_request *r, struct reply *reply)
{
    const struct sources *s = ctx;
    return s->v1.resume(s->v1.ctx, r, reply);
}

static void forget(void *ctx, void *waiting)
{
    const struct sources *s = ctx;
    s->v1.forget(s->v1.ctx, waiting);
}

static void woken(void *ctx)
{
    const struct sources *s = ctx;
    if (s->v1.woken)
        s->v1.woken(s->v1.ctx);
}

struct handler admin_handler(struct sources *s)
{
    return (struct handler){
        .wants_body = wants_body,
        .handle = handle,
        .resume = resume,
        .forget = forget,
        .woken = woken,
        .ctx = s,
    };
}
