/* The request reader against any bytes: two bytes choose limits and cuts, the rest is what a client sends.
 * Read whole and read cut must say the same; http_stream.h asserts what must hold for any input. */

#include <stdlib.h>

#include "support/http_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const struct http_limits tight_limits = {
    .line_bytes_max = 64,
    .head_bytes_max = 256,
    .fields_max = 4,
    .body_bytes_max = 32,
    .chunk_ext_bytes_max = 24,
};

/* Kept from run to run: mapping the guard page anew would take most of the time. */
static struct stream whole, cut;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 2 || bytes > STREAM_BYTES_MAX)
        return 0;
    const struct http_limits *limits = data[0] & 1 ? &tight_limits : &http_limits_default;
    const char *text = (const char *)data + 2;

    if (whole.limits == NULL) {
        stream_init(&whole, limits);
        stream_init(&cut, limits);
    }
    stream_reset(&whole, limits);
    stream_push(&whole, text, bytes - 2);
    stream_end(&whole);
    stream_reset(&cut, limits);
    stream_push_cut(&cut, text, bytes - 2, data[1]);
    stream_end(&cut);
    if (!stream_same(&whole, &cut)) {
        fprintf(stderr, "whole:\n%.*s\ncut:\n%.*s\n", (int)whole.log.bytes, whole.log.data, (int)cut.log.bytes,
                cut.log.data);
        abort();
    }
    return 0;
}
