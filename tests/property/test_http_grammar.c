/* The reader's idea of a well-formed head against regular expressions taken from the RFC, on heads that were damaged
 * at random: it must refuse for its grammar exactly those that do not match. Every failure names its seed; SEED=n runs
 * that one alone. */

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/http_stream.h"

enum { SEEDS = 100000 };

#define TOKEN "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
#define PATH "[]!$-;=@A-Z[^-~]+" /* the visible bytes without " # < > ? \ */
#define QUERY "([?][]!$-;=?@A-Z[\\^-~]*)?"

struct grammar {
    regex_t line, field;
};

static const struct slice heads[] = {
    SLICE("GET /v1/hit/blog/page?n=5 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"),
    SLICE("POST / HTTP/1.0\r\nContent-Type: text/plain;charset=UTF-8\r\nX-Long-Name-Of-A-Field: v\r\n\r\n"),
    SLICE("\r\nOPTIONS * HTTP/1.1\r\nhost:a\r\nAccept:\t*/*, \"x\" \r\nuser-agent: Mozilla/5.0 (X11; Linux)\r\n\r\n"),
    SLICE("BREW http://a.example/pot?q/?= HTTP/1.3\r\nHost:\r\nX:\r\n\r\n"),
};

static void grammar_init(struct grammar *g)
{
    assert_int_equal(regcomp(&g->line, "^" TOKEN " " PATH QUERY " HTTP/[1-9][.][0-9]$", REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(regcomp(&g->field, "^" TOKEN ":[^\x01-\x08\x0a-\x1f\x7f]*$", REG_EXTENDED | REG_NOSUB), 0);
}

static void grammar_fini(struct grammar *g)
{
    regfree(&g->line);
    regfree(&g->field);
}

static bool matches(const regex_t *regex, const char *at, size_t bytes)
{
    regmatch_t all = {0, (regoff_t)bytes};
    return memchr(at, '\0', bytes) == NULL && regexec(regex, at, 1, &all, REG_STARTEND) == 0;
}

/* 1: a whole head of well-formed lines, 0: no head can come of it any more, -1: not whole yet. */
static int grammar_matches(const struct grammar *g, const char *at, size_t bytes)
{
    for (int lines = -4, first = 1;; lines++) {
        const char *end = memmem(at, bytes, "\r\n", 2);
        if (end == NULL)
            return -1;
        size_t line_bytes = (size_t)(end - at);
        if (line_bytes == 0 && !first)
            return 1;
        if (line_bytes == 0 ? lines == 0 : !matches(first ? &g->line : &g->field, at, line_bytes))
            return 0;
        first = first && line_bytes == 0;
        at = end + 2;
        bytes -= line_bytes + 2;
    }
}

static bool is_grammar_reason(const char *reason)
{
    static const char *const reasons[] = {"bare_cr", "bare_lf",  "empty_lines",        "method",     "target",
                                          "version", "obs_fold", "space_before_colon", "field_name", "field_value"};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    }
    return false;
}

/* One to three bytes replaced, dropped or put in; at most one byte longer each time. */
static size_t damage(char *text, size_t bytes, uint64_t *random)
{
    static const char special[] = "\r\n\r\n \t:?#\\\"<>0/\0\x7f\x80";

    for (size_t count = random_below(random, 4); count > 0; count--) {
        size_t at = random_below(random, bytes), how = random_below(random, 3);
        char c =
            random_below(random, 2) ? (char)random_next(random) : special[random_below(random, sizeof(special) - 1)];
        if (how == 0) {
            memmove(text + at, text + at + 1, bytes - at - 1);
            bytes--;
        } else if (how == 1) {
            memmove(text + at + 1, text + at, bytes - at);
            bytes++;
        }
        if (how != 0)
            text[at] = c;
    }
    return bytes;
}

static void check_seed(const struct grammar *g, uint64_t seed)
{
    char text[256];
    uint64_t random = seed;
    struct slice head = heads[random_below(&random, sizeof(heads) / sizeof(heads[0]))];
    struct http_parser p;
    struct http_request r;

    memcpy(text, head.at, head.bytes);
    size_t bytes = damage(text, head.bytes, &random);
    http_parser_init(&p, &http_limits_default);
    enum http_result result = http_parser_head(&p, text, bytes, &r);
    int wanted = grammar_matches(g, text, bytes);
    bool refused = result == HTTP_BAD && is_grammar_reason(p.reason);
    /* Where lines are still missing, either may have seen enough; what is wrong already may be refused already. */
    if ((wanted == 1 && refused) || (wanted == 0 && result != HTTP_BAD) || (wanted == -1 && result == HTTP_DONE))
        fail_msg("SEED=%llu: grammar says %d, reader %d %s: \"%.*s\"", (unsigned long long)seed, wanted, result,
                 result == HTTP_BAD ? p.reason : "", (int)bytes, text);
}

static void test_heads_are_refused_for_their_grammar_exactly_when_they_do_not_match_it(void **state)
{
    (void)state;
    const char *only = getenv("SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1, last = only != NULL ? first : SEEDS;
    struct grammar g;

    grammar_init(&g);
    for (uint64_t seed = first; seed <= last; seed++)
        check_seed(&g, seed);
    grammar_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_refused_for_their_grammar_exactly_when_they_do_not_match_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
