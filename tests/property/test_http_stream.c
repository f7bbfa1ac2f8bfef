/* Random requests from a grammar, one behind the other: what is read must be what was written; then the same bytes
 * damaged: whole and cut must agree. Every failure names its seed; SEED=n runs that one alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/http_stream.h"

enum { SEEDS = 3000, REQUESTS_MAX = 5 };

/* The bytes of a connection, and the log that a stream must write for them. */
struct script {
    uint64_t random;
    struct buf text;
    struct buf log;
};

/* What a generated request says, before it becomes text. */
struct sketch {
    int method, minor;
    bool keep, expect, chunked, has_length, has_query, fields[HTTP_FIELDS];
    size_t body_bytes, start, method_at, path_at, path_bytes, query_at, query_bytes, host_at, host_bytes;
    size_t field_at[HTTP_FIELDS], field_bytes[HTTP_FIELDS];
};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
static const char *const field_names[HTTP_FIELDS] = {
    "Authorization",
    "Content-Type",
    "Origin",
    "Referer",
    "User-Agent",
    "DNT",
    "Sec-GPC",
    "Purpose",
    "Sec-Purpose",
    "X-Purpose",
    "X-Moz",
    "X-Forwarded-For",
    "Forwarded",
    "Accept",
    "Last-Event-ID",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
};

static const bool is_list[HTTP_FIELDS] = {
    [HTTP_FIELD_PURPOSE] = true,         [HTTP_FIELD_SEC_PURPOSE] = true,
    [HTTP_FIELD_X_PURPOSE] = true,       [HTTP_FIELD_X_MOZ] = true,
    [HTTP_FIELD_X_FORWARDED_FOR] = true, [HTTP_FIELD_FORWARDED] = true,
    [HTTP_FIELD_ACCEPT] = true,          [HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS] = true,
};

static bool chance(struct script *s, size_t one_in) { return random_below(&s->random, one_in) == 0; }

static void put(struct script *s, const char *text) { buf_append(&s->text, text, strlen(text)); }

/* One of some bytes, up to `most` times; where it went and how long it is. */
static size_t put_run(struct script *s, const char *alphabet, size_t least, size_t most)
{
    size_t bytes = least + random_below(&s->random, most - least + 1), letters = strlen(alphabet);

    for (size_t i = 0; i < bytes; i++)
        buf_append(&s->text, &alphabet[random_below(&s->random, letters)], 1);
    return bytes;
}

static void put_blanks(struct script *s) { put_run(s, " \t", 0, chance(s, 4) ? 3 : 1); }

static void put_name(struct script *s, const char *name)
{
    size_t at = s->text.bytes;

    put(s, name);
    for (; at < s->text.bytes && chance(s, 2); at++) {
        char c = (char)(s->text.data[at] | 0x20);
        if (c >= 'a' && c <= 'z')
            s->text.data[at] ^= 0x20;
    }
    put(s, ":");
    put_blanks(s);
}

static void put_end(struct script *s)
{
    put_blanks(s);
    put(s, "\r\n");
}

static void put_line(struct script *s, struct sketch *k)
{
    k->method = (int)random_below(&s->random, sizeof(methods) / sizeof(methods[0]));
    k->minor = !chance(s, 5);
    k->method_at = s->text.bytes - k->start;
    put(s, methods[k->method]);
    put(s, " ");
    k->path_at = s->text.bytes - k->start;
    put(s, "/");
    k->path_bytes = 1 + put_run(s, "abcXYZ019/-._~%:@!$&'()*+,;=[]^`{|}", 0, 60);
    k->has_query = chance(s, 2);
    if (k->has_query) {
        put(s, "?");
        k->query_at = s->text.bytes - k->start;
        k->query_bytes = put_run(s, "abc=&019%+/?\\|;", 0, 60);
    }
    put(s, k->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
}

static void put_connection(struct script *s, struct sketch *k)
{
    static const char *const options[] = {"upgrade", "close", "Keep-Alive", "te"};
    bool close = false, keep = false;

    while (chance(s, 3)) {
        put_name(s, "Connection");
        do {
            size_t option = random_below(&s->random, 4);
            put(s, options[option]);
            put(s, chance(s, 2) ? ", " : ",");
            close |= option == 1;
            keep |= option == 2;
        } while (chance(s, 2));
        put_end(s);
    }
    k->keep = (k->minor || keep) && !close;
}

static void put_framing(struct script *s, struct sketch *k)
{
    char digits[32];

    k->chunked = k->minor && chance(s, 3);
    k->has_length = !k->chunked && chance(s, 2);
    k->body_bytes = k->chunked || k->has_length ? random_below(&s->random, 300) : 0;
    if (k->chunked) {
        put_name(s, "Transfer-Encoding");
        put(s, chance(s, 2) ? "chunked" : "Chunked");
        put_end(s);
    }
    if (k->has_length) {
        snprintf(digits, sizeof(digits), "%0*zu", (int)random_below(&s->random, 8), k->body_bytes);
        put_name(s, "Content-Length");
        put(s, digits);
        put_end(s);
    }
    if (chance(s, 5)) {
        put_name(s, "Expect");
        put(s, "100-continue");
        put_end(s);
        k->expect = k->minor && (k->chunked || k->body_bytes > 0);
    }
}

static void put_fields(struct script *s, struct sketch *k)
{
    static const char value_bytes[] = "abcdefXYZ0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x80\xff";
    static const char *const others[] = {"X-Other", "Accept-Language", "Sec-Fetch-Dest", "a", "x_y!z", "X-Host"};

    if (k->minor || chance(s, 2)) {
        put_name(s, "Host");
        k->host_at = s->text.bytes - k->start;
        k->host_bytes = put_run(s, "abc019.-", 1, 30);
        if (chance(s, 3)) {
            put(s, ":8080");
            k->host_bytes += 5;
        }
        put_end(s);
    }
    put_connection(s, k);
    for (size_t count = random_below(&s->random, 20); count > 0; count--) {
        size_t f = random_below(&s->random, 2 * HTTP_FIELDS);
        put_name(s, f < HTTP_FIELDS ? field_names[f] : others[f % 6]);
        size_t at = s->text.bytes - k->start;
        size_t bytes = put_run(s, value_bytes, 1, chance(s, 5) ? 200 : 20);
        put_end(s);
        if (f >= HTTP_FIELDS)
            continue;
        if (!k->fields[f])
            k->field_at[f] = at;
        if (!k->fields[f] || is_list[f]) /* a list reaches to its last line */
            k->field_bytes[f] = at + bytes - k->field_at[f];
        k->fields[f] = true;
    }
    put_framing(s, k);
    put(s, "\r\n");
}

/* Where the text of the request lies now; the buffer may have moved while it grew. */
static void expect_slice(struct script *s, const struct sketch *k, const char *name, size_t at, size_t bytes)
{
    buf_printf(&s->log, " %s@%zu=", name, at);
    buf_append(&s->log, s->text.data + k->start + at, bytes);
}

static void expect_request(struct script *s, const struct sketch *k)
{
    buf_printf(&s->log, "request %d 1.%d%s%s%s%s %zu head=%zu", k->method, k->minor, k->keep ? " keep" : "",
               k->expect ? " expect" : "", k->chunked ? " chunked" : "", k->has_length ? " length" : "",
               k->has_length ? k->body_bytes : 0, s->text.bytes - k->start);
    expect_slice(s, k, "method", k->method_at, strlen(methods[k->method]));
    expect_slice(s, k, "path", k->path_at, k->path_bytes);
    if (k->has_query)
        expect_slice(s, k, "query", k->query_at, k->query_bytes);
    if (k->host_bytes > 0)
        expect_slice(s, k, "host", k->host_at, k->host_bytes);
    for (int i = 0; i < HTTP_FIELDS; i++) {
        char name[] = {'f', (char)('0' + i), '\0'};
        if (k->fields[i])
            expect_slice(s, k, name, k->field_at[i], k->field_bytes[i]);
    }
    buf_append(&s->log, "\n", 1);
}

static void put_data(struct script *s, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)random_next(&s->random);
        buf_append(&s->text, &c, 1);
    }
    buf_append(&s->log, s->text.data + s->text.bytes - bytes, bytes);
}

static void put_extension(struct script *s)
{
    static const char *const extensions[] = {"", "", "", ";a", ";a=b", " ; a = \"b;\\\"c\"", ";a;b=\"\";c"};
    put(s, extensions[random_below(&s->random, sizeof(extensions) / sizeof(extensions[0]))]);
    put(s, "\r\n");
}

static void put_chunks(struct script *s, size_t bytes)
{
    char size[32];

    while (bytes > 0) {
        size_t chunk = 1 + random_below(&s->random, bytes);
        snprintf(size, sizeof(size), chance(s, 2) ? "%zx" : "%05zX", chunk);
        put(s, size);
        put_extension(s);
        put_data(s, chunk);
        put(s, "\r\n");
        bytes -= chunk;
    }
    put(s, chance(s, 2) ? "0" : "000");
    put_extension(s);
    while (chance(s, 4))
        put(s, "Trailer: x y\r\n");
    put(s, "\r\n");
}

static void put_request(struct script *s)
{
    struct sketch k = {.start = s->text.bytes};

    if (chance(s, 6))
        put(s, "\r\n\r\n");
    put_line(s, &k);
    put_fields(s, &k);
    expect_request(s, &k);
    buf_printf(&s->log, "body %zu ", k.body_bytes);
    if (k.chunked)
        put_chunks(s, k.body_bytes);
    else
        put_data(s, k.body_bytes);
    buf_append(&s->log, "\n", 1);
}

static void script_write(struct script *s, uint64_t seed)
{
    *s = (struct script){.random = seed};
    for (size_t count = 1 + random_below(&s->random, REQUESTS_MAX); count > 0; count--)
        put_request(s);
    buf_printf(&s->log, "end in head pending 0 decoded 0\n");
}

/* Bytes replaced, dropped, doubled, or put in: those that mean something more often than others. */
static void script_damage(struct script *s)
{
    static const char special[] = "\r\n\r\n \t:;,=\"\\%?#0aF\0\x7f\x80";

    for (size_t count = 1 + random_below(&s->random, 4); count > 0; count--) {
        size_t at = random_below(&s->random, s->text.bytes);
        char c = chance(s, 3) ? (char)random_next(&s->random) : special[random_below(&s->random, sizeof(special) - 1)];
        if (chance(s, 3)) {
            memmove(s->text.data + at, s->text.data + at + 1, s->text.bytes - at - 1);
            s->text.bytes--;
        } else if (chance(s, 2)) {
            s->text.data[at] = c;
        } else {
            buf_append(&s->text, &c, 1);
            memmove(s->text.data + at + 1, s->text.data + at, s->text.bytes - at - 1);
            s->text.data[at] = c;
        }
    }
}

static void script_fini(struct script *s)
{
    buf_fini(&s->text);
    buf_fini(&s->log);
}

static void fail_with_logs(uint64_t seed, const char *what, struct slice wanted, struct slice got)
{
    fail_msg("SEED=%llu: %s\nwanted:\n%.*s\ngot:\n%.*s", (unsigned long long)seed, what, (int)wanted.bytes, wanted.at,
             (int)got.bytes, got.at);
}

/* Runs `check` for SEED, or for SEEDS of them. */
static void for_each_seed(void (*check)(uint64_t seed, struct stream *whole, struct stream *cut))
{
    const char *only = getenv("SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1, last = only != NULL ? first : SEEDS;
    struct stream whole, cut;

    stream_init(&whole, &http_limits_default);
    stream_init(&cut, &http_limits_default);
    for (uint64_t seed = first; seed <= last; seed++)
        check(seed, &whole, &cut);
    stream_fini(&whole);
    stream_fini(&cut);
}

static void read_both(struct stream *whole, struct stream *cut, const struct http_limits *limits,
                      const struct script *script, uint64_t seed)
{
    stream_reset(whole, limits);
    stream_push(whole, script->text.data, script->text.bytes);
    stream_end(whole);
    stream_reset(cut, limits);
    stream_push_cut(cut, script->text.data, script->text.bytes, ~seed);
    stream_end(cut);
}

static void check_valid(uint64_t seed, struct stream *whole, struct stream *cut)
{
    struct script script;

    script_write(&script, seed);
    read_both(whole, cut, &http_limits_default, &script, seed);
    if (!slice_equals(buf_slice(&script.log), buf_slice(&whole->log)))
        fail_with_logs(seed, "read whole", buf_slice(&script.log), buf_slice(&whole->log));
    if (!stream_same(whole, cut))
        fail_with_logs(seed, "read cut", buf_slice(&script.log), buf_slice(&cut->log));
    script_fini(&script);
}

static void check_damaged(uint64_t seed, struct stream *whole, struct stream *cut)
{
    static const struct http_limits tight = {.line_bytes_max = 60,
                                             .head_bytes_max = 400,
                                             .fields_max = 10,
                                             .body_bytes_max = 200,
                                             .chunk_ext_bytes_max = 20};
    struct script script;

    script_write(&script, seed);
    script_damage(&script);
    read_both(whole, cut, seed % 2 ? &http_limits_default : &tight, &script, seed);
    if (!stream_same(whole, cut))
        fail_with_logs(seed, "read cut", buf_slice(&whole->log), buf_slice(&cut->log));
    script_fini(&script);
}

static void test_generated_requests_are_read_as_they_were_meant_however_they_are_cut(void **state)
{
    (void)state;
    for_each_seed(check_valid);
}

static void test_damaged_requests_are_read_the_same_however_they_are_cut(void **state)
{
    (void)state;
    for_each_seed(check_damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated_requests_are_read_as_they_were_meant_however_they_are_cut),
        cmocka_unit_test(test_damaged_requests_are_read_the_same_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
