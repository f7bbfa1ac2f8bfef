#include "tally/name.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/block.h"

/* What a byte may be part of. */
enum {
    BYTE_NS = 1,
    BYTE_KEY = 2,
    BYTE_KEY_RAW = 4, /* a key byte that stands for itself in a path: all but '%' */
};

#define IN_KEY (BYTE_KEY | BYTE_KEY_RAW)
#define IN_BOTH (BYTE_NS | IN_KEY)

/* clang-format off */
static const uint8_t byte_class[256] = {
    [' ' ... '$'] = IN_KEY,
    ['%'] = BYTE_KEY,
    ['&' ... ','] = IN_KEY,
    ['-' ... '.'] = IN_BOTH,
    ['/'] = IN_KEY,
    ['0' ... '9'] = IN_BOTH,
    [':' ... '@'] = IN_KEY,
    ['A' ... 'Z'] = IN_BOTH,
    ['[' ... '^'] = IN_KEY,
    ['_'] = IN_BOTH,
    ['`'] = IN_KEY,
    ['a' ... 'z'] = IN_BOTH,
    ['|'] = IN_KEY, /* between the braces, which Redis Cluster reads as a hash tag */
    ['~'] = IN_KEY,
    [0x80 ... 0xff] = IN_KEY, /* UTF-8 or not: stored byte for byte */
};
/* clang-format on */

#ifdef __SSE2__
static inline unsigned ns_stops(block b)
{
    return ~block_bits(block_or(block_labels(b), block_equal(b, '_'))) & 0xffff;
}

static inline unsigned key_raw_stops(block b)
{
    block braces = block_or(block_equal(b, '{'), block_equal(b, '}'));
    block others = block_or(block_equal(b, '%'), block_equal(b, 0x7f));
    block controls = _mm_cmpeq_epi8(_mm_min_epu8(b, block_of(0x1f)), b);
    return block_bits(block_or(block_or(braces, others), controls));
}
#endif

/* How many bytes from the start may be in a namespace. */
static size_t span_ns(struct slice s)
{
    const char *end = s.at + s.bytes;
    return (size_t)(RUN_END(s.at, end, byte_class, BYTE_NS, ns_stops) - s.at);
}

static size_t span_key(struct slice s)
{
    return (size_t)(run_by_table(s.at, s.at + s.bytes, byte_class, BYTE_KEY) - s.at);
}

static size_t span_key_raw(struct slice s)
{
    const char *end = s.at + s.bytes;
    return (size_t)(RUN_END(s.at, end, byte_class, BYTE_KEY_RAW, key_raw_stops) - s.at);
}

static struct slice slice_from(struct slice s, size_t at) { return (struct slice){s.at + at, s.bytes - at}; }

static enum name_error check_key(struct slice key)
{
    if (key.bytes > NAME_KEY_BYTES_MAX)
        return NAME_TOO_LONG;
    if (key.bytes == 0)
        return NAME_NO_KEY;
    return span_key(key) == key.bytes ? NAME_OK : NAME_BAD_KEY;
}

enum name_error name_check_ns(struct slice ns)
{
    if (ns.bytes > NAME_NS_BYTES_MAX)
        return NAME_TOO_LONG;
    return ns.bytes > 0 && span_ns(ns) == ns.bytes ? NAME_OK : NAME_BAD_NS;
}

enum name_error name_from_parts(struct slice ns, struct slice key, char scratch[NAME_BYTES_MAX], struct slice *name)
{
    enum name_error error = name_check_ns(ns);

    if (error == NAME_OK)
        error = check_key(key);
    if (error != NAME_OK)
        return error;
    memcpy(scratch, ns.at, ns.bytes);
    scratch[ns.bytes] = '/';
    memcpy(scratch + ns.bytes + 1, key.at, key.bytes);
    *name = (struct slice){scratch, ns.bytes + 1 + key.bytes};
    return NAME_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte of `raw`, decoded when it is an escape; -1: a broken escape. */
static int decode_byte(struct slice *raw)
{
    int byte = (uint8_t)raw->at[0];

    if (byte != '%') {
        *raw = slice_from(*raw, 1);
        return byte;
    }
    int high = raw->bytes > 2 ? hex_digit(raw->at[1]) : -1;
    int low = raw->bytes > 2 ? hex_digit(raw->at[2]) : -1;
    if (high < 0 || low < 0)
        return -1;
    *raw = slice_from(*raw, 3);
    return high << 4 | low;
}

/* Decodes `raw` into `out`, which has room for `out_max`; `plus`: a '+' is a space, as in a query. */
static enum name_error decode(struct slice raw, bool plus, char *out, size_t out_max, struct slice *decoded)
{
    size_t bytes = 0;

    while (raw.bytes) {
        int byte = plus && raw.at[0] == '+' ? ' ' : -1;
        if (byte == ' ')
            raw = slice_from(raw, 1);
        else
            byte = decode_byte(&raw);
        if (byte < 0)
            return NAME_BAD_ESCAPE;
        if (bytes == out_max)
            return NAME_TOO_LONG;
        out[bytes++] = (char)byte;
    }
    *decoded = (struct slice){out, bytes};
    return NAME_OK;
}

static enum name_error name_from_raw(struct slice raw_ns, struct slice raw_key, bool plus, char scratch[NAME_BYTES_MAX],
                                     struct slice *name)
{
    char ns_text[NAME_NS_BYTES_MAX], key_text[NAME_KEY_BYTES_MAX];
    struct slice ns, key;

    enum name_error error = decode(raw_ns, false, ns_text, sizeof(ns_text), &ns);
    if (error == NAME_OK)
        error = decode(raw_key, plus, key_text, sizeof(key_text), &key);
    return error == NAME_OK ? name_from_parts(ns, key, scratch, name) : error;
}

/* Everything that is not a good name as it stands: encoded, or wrong. The path is split before it is
 * decoded, so that %2F is a byte of the key, and an error in a namespace. */
static enum name_error name_from_encoded(struct slice raw, char scratch[NAME_BYTES_MAX], struct slice *name)
{
    const char *slash = raw.bytes ? memchr(raw.at, '/', raw.bytes) : NULL;
    size_t ns_bytes = slash ? (size_t)(slash - raw.at) : raw.bytes;
    return name_from_raw((struct slice){raw.at, ns_bytes}, slice_from(raw, slash ? ns_bytes + 1 : ns_bytes), false,
                         scratch, name);
}

enum name_error name_from_query(struct slice ns, struct slice key, char scratch[NAME_BYTES_MAX], struct slice *name)
{
    ns.bytes -= ns.bytes > 0 && ns.at[ns.bytes - 1] == '/';
    return name_from_raw(ns, key, true, scratch, name);
}

enum name_error name_from_path(struct slice raw, char scratch[NAME_BYTES_MAX], struct slice *name)
{
    size_t ns_bytes = raw.bytes ? span_ns(raw) : 0;

    if (ns_bytes == 0 || ns_bytes > NAME_NS_BYTES_MAX || ns_bytes == raw.bytes || raw.at[ns_bytes] != '/')
        return name_from_encoded(raw, scratch, name);

    size_t key_bytes = raw.bytes - ns_bytes - 1;
    /* All of it is looked at: what may be in front of a key may also be in it. */
    if (key_bytes == 0 || key_bytes > NAME_KEY_BYTES_MAX || span_key_raw(raw) < raw.bytes)
        return name_from_encoded(raw, scratch, name);
    *name = raw;
    return NAME_OK;
}

const char *name_error_text(enum name_error e)
{
    static const char *const texts[] = {
        [NAME_OK] = "ok",         [NAME_BAD_NS] = "bad_namespace", [NAME_BAD_KEY] = "bad_key",
        [NAME_NO_KEY] = "no_key", [NAME_TOO_LONG] = "too_long",    [NAME_BAD_ESCAPE] = "bad_escape",
    };

    return texts[e];
}

static size_t name_slash(struct slice name)
{
    const char *slash = memchr(name.at, '/', name.bytes);

    assert(slash); /* only what passed the functions above is a name */
    return (size_t)(slash - name.at);
}

struct slice name_ns(struct slice name) { return (struct slice){name.at, name_slash(name)}; }

struct slice name_key(struct slice name) { return slice_from(name, name_slash(name) + 1); }

/* ---- totals of namespaces ---- */

#define TOTAL_NAME SLICE("!total/")
#define TOP_NAME SLICE("!top/")

static struct slice name_of(struct slice what, uint32_t partition, struct slice ns, char out[NAME_BYTES_MAX])
{
    int bytes = snprintf(out, NAME_BYTES_MAX, "%.*s%u/%.*s", (int)what.bytes, what.at, partition, (int)ns.bytes, ns.at);

    return (struct slice){out, (size_t)bytes};
}

static bool name_read(struct slice name, struct slice what, uint32_t *partition, struct slice *ns)
{
    size_t at = what.bytes;

    if (name.bytes <= at || name.at[0] != what.at[0] || memcmp(name.at, what.at, at) != 0)
        return false;
    for (*partition = 0; at < name.bytes && name.at[at] != '/'; at++)
        *partition = *partition * 10 + (uint32_t)(name.at[at] - '0');
    *ns = (struct slice){name.at + at + 1, name.bytes - at - 1};
    return true;
}

struct slice name_of_total(uint32_t partition, struct slice ns, char out[NAME_BYTES_MAX])
{
    return name_of(TOTAL_NAME, partition, ns, out);
}

bool name_total_read(struct slice name, uint32_t *partition, struct slice *ns)
{
    return name_read(name, TOTAL_NAME, partition, ns);
}

struct slice name_of_top(uint32_t partition, struct slice ns, char out[NAME_BYTES_MAX])
{
    return name_of(TOP_NAME, partition, ns, out);
}

bool name_top_read(struct slice name, uint32_t *partition, struct slice *ns)
{
    return name_read(name, TOP_NAME, partition, ns);
}
