/* What strangers say at the edges, from any bytes: the first byte says which. A PROXY protocol header, the label and
 * colours of a badge, a label of a metric, a URL for AWS keys, a name of the admin port, and JSON within its bounds. */

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "config/admin_host.h"
#include "forms/badge.h"
#include "forms/color.h"
#include "forms/json.h"
#include "net/proxy_header.h"
#include "redis/aws_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void proxy_read(struct slice text)
{
    struct ip client;
    size_t used = 0;
    if (proxy_header_read(text, &used, &client) == PROXY_DONE)
        assert(used > 0 && used <= text.bytes && used <= PROXY_HEADER_BYTES_MAX);
}

static bool has(struct slice text, char c) { return text.bytes > 0 && memchr(text.at, c, text.bytes); }

static void badge_read(struct slice text)
{
    struct badge badge = {.label = text, .value = text, .color = 0xffffff};
    struct buf out = {0};
    assert(!color_parse(text, &badge.color) || badge.color <= 0xffffff);
    badge_append(&out, &badge);
    assert(out.bytes > 0);
    out.bytes = 0;
    escape_xml(&out, text);
    assert(!has(buf_slice(&out), '<') && !has(buf_slice(&out), '"'));
    out.bytes = 0;
    escape_label(&out, text);
    assert(!has(buf_slice(&out), '\n'));
    buf_fini(&out);
}

static void json_try(struct slice text)
{
    bool no_memory;
    json_decref(json_read(text, &no_memory));
}

static void url_try(struct slice text)
{
    char *copy = malloc(text.bytes + 1);
    assert(copy);
    memcpy(copy, text.at, text.bytes);
    copy[text.bytes] = '\0';
    bool trusted = aws_keys_url_trusted(copy);
    assert(!trusted || strncasecmp(copy, "http", 4) == 0 || !strstr(copy, "://"));
    (void)admin_host_known("a,b", text);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0)
        return 0;
    struct slice text = {(const char *)data + 1, bytes - 1};
    switch (*data % 4) {
    case 0: proxy_read(text); break;
    case 1: badge_read(text); break;
    case 2: json_try(text); break;
    default: url_try(text); break;
    }
    return 0;
}
