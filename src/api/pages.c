/* What is embedded at build (web/): pages, scripts, and the description of the API. */
#include "api/pages.h"

#include "http/response.h"
#include "web.h"

/* Its script is a file of its own, so that no inline script is allowed. */
#define PAGE_POLICY                                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "            \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* The same in a frame of any page: it shows a number, and nothing in it can be pressed. */
#define FRAME_POLICY                                                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "          \
    "form-action 'none'"

/* It asks for a token, and keeps it in the tab. No page of another origin may frame it or send a form from it. */
#define DASHBOARD_POLICY                                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "    \
    "form-action 'none'; frame-ancestors 'none'"
#define DASHBOARD_PORT "{\"public\":true}\n" /* so that it knows on which port it is */

struct page {
    struct slice path;
    const char *content_type;
    struct slice body, headers;
    const char *policy;
};

#define ANY_ORIGIN "Access-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: cross-origin\r\n"
#define PAGE_HEADERS SLICE("Cache-Control: no-cache\r\n" ANY_ORIGIN)
#define SCRIPT_HEADERS SLICE("Cache-Control: public, max-age=3600\r\n" ANY_ORIGIN)

/* The snippet is for pages of other origins. A browser may keep it for an hour: what it does changes seldom. */
static const struct page pages[] = {
    {SLICE("/"),
     "text/html; charset=utf-8",
     {(const char *)web_index_html, sizeof(web_index_html)},
     PAGE_HEADERS,
     PAGE_POLICY},
    {SLICE("/page.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_page_js, sizeof(web_page_js)},
     PAGE_HEADERS,
     NULL},
    {SLICE("/tally.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_tally_js, sizeof(web_tally_js)},
     SCRIPT_HEADERS,
     NULL},
    {SLICE("/hit.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_hit_js, sizeof(web_hit_js)},
     SCRIPT_HEADERS,
     NULL},
    {SLICE("/live.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_live_js, sizeof(web_live_js)},
     SCRIPT_HEADERS,
     NULL},
    {SLICE("/embed"),
     "text/html; charset=utf-8",
     {(const char *)web_embed_html, sizeof(web_embed_html)},
     PAGE_HEADERS,
     FRAME_POLICY},
    {SLICE("/embed.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_embed_js, sizeof(web_embed_js)},
     SCRIPT_HEADERS,
     NULL},
    {SLICE("/dashboard"),
     "text/html; charset=utf-8",
     {(const char *)web_dashboard_html, sizeof(web_dashboard_html)},
     SLICE("Cache-Control: no-cache\r\n"),
     DASHBOARD_POLICY},
    {SLICE("/dashboard.js"),
     "text/javascript; charset=utf-8",
     {(const char *)web_dashboard_js, sizeof(web_dashboard_js)},
     SLICE("Cache-Control: no-cache\r\n"),
     NULL},
    {SLICE("/dashboard.css"),
     "text/css; charset=utf-8",
     {(const char *)web_dashboard_css, sizeof(web_dashboard_css)},
     SLICE("Cache-Control: no-cache\r\n"),
     NULL},
    {SLICE("/dashboard.json"), "application/json", SLICE(DASHBOARD_PORT), SLICE("Cache-Control: no-cache\r\n"), NULL},
    {SLICE("/openapi.json"),
     "application/json",
     {(const char *)web_openapi_json, sizeof(web_openapi_json)},
     PAGE_HEADERS,
     NULL},
};

static const struct page *page_find(struct slice path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        if (slice_equals(path, pages[i].path))
            return &pages[i];
    return NULL;
}

bool route_page(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct page *page = page_find(r->path);
    if (!page)
        return false;
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_method(aw, r, reply, "GET, HEAD, OPTIONS");
        return true;
    }
    struct http_response response = {
        .status = 200,
        .content_type = page->content_type,
        .body = page->body,
        .extra = page->headers,
        .policy = page->policy,
        .close = reply->close,
    };
    http_response_write(reply->out, r, &response, reply->date);
    answer_count(aw, 200);
    return true;
}
