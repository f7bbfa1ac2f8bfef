#include "tally/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

/* The last byte of a path lies before a page that may not be read. */
static struct slice at_page_end(const char *text, size_t bytes)
{
    static char *pages;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (!pages) {
        pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(pages, MAP_FAILED);
        assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    }
    assert_true(bytes <= page);
    return (struct slice){memcpy(pages + page - bytes, text, bytes), bytes};
}

static enum name_error path_error(const char *path)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;

    return name_from_path(at_page_end(path, strlen(path)), scratch, &name);
}

static void assert_name(struct slice name, const char *text, size_t bytes)
{
    assert_int_equal(name.bytes, bytes);
    assert_memory_equal(name.at, text, bytes);
}

static void assert_decodes(const char *path, const char *text, size_t bytes)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;

    assert_int_equal(name_from_path(at_page_end(path, strlen(path)), scratch, &name), NAME_OK);
    assert_name(name, text, bytes);
    assert_ptr_equal(name.at, scratch);
}

static void test_plain_path_is_used_in_place(void **state)
{
    (void)state;
    char scratch[NAME_BYTES_MAX];
    struct slice raw = at_page_end("blog-2.x_Y/posts/hello world~\xc3\xa9\xff", 32);
    struct slice name = {NULL, 0};

    assert_int_equal(name_from_path(raw, scratch, &name), NAME_OK);
    assert_ptr_equal(name.at, raw.at);
    assert_int_equal(name.bytes, raw.bytes);
    assert_name(name_ns(name), "blog-2.x_Y", 10);
    assert_name(name_key(name), "posts/hello world~\xc3\xa9\xff", 21);
}

static void test_key_is_everything_after_the_first_slash(void **state)
{
    (void)state;
    char scratch[NAME_BYTES_MAX];
    struct slice name;

    assert_int_equal(name_from_path(SLICE("a//b/../c/"), scratch, &name), NAME_OK);
    assert_name(name_key(name), "/b/../c/", 8);
}

static void test_escapes_are_decoded_once(void **state)
{
    (void)state;
    assert_decodes("blog/a%20b", "blog/a b", 8);
    assert_decodes("blog/a%2Fb%2fc", "blog/a/b/c", 10);
    assert_decodes("blog/%25%32%30", "blog/%20", 8);
    assert_decodes("%62log/x", "blog/x", 6);
    assert_decodes("blog/%C3%A9%ff", "blog/\xc3\xa9\xff", 8);
    assert_decodes("blog/+%2B", "blog/++", 7);
}

static void test_names_that_would_mislead_redis_are_refused(void **state)
{
    (void)state;
    assert_int_equal(path_error("a/{tag}"), NAME_BAD_KEY);
    assert_int_equal(path_error("a/x%7By"), NAME_BAD_KEY);
    assert_int_equal(path_error("a/x%7dy"), NAME_BAD_KEY);
    assert_int_equal(path_error("!ledger/x"), NAME_BAD_NS);
    assert_int_equal(path_error("%21ledger/x"), NAME_BAD_NS);
}

static void test_control_bytes_are_refused_raw_and_encoded(void **state)
{
    (void)state;
    char path[] = "a/x?y";
    char encoded[16];

    for (int byte = 1; byte < 0x100; byte++) {
        enum name_error want = byte < 0x20 || byte == 0x7f || byte == '{' || byte == '}' ? NAME_BAD_KEY : NAME_OK;
        path[3] = (char)byte;
        if (byte != '%')
            assert_int_equal(path_error(path), want);
        snprintf(encoded, sizeof(encoded), "a/x%%%02xy", byte);
        assert_int_equal(path_error(encoded), want);
    }
    assert_int_equal(path_error("a/%00"), NAME_BAD_KEY);
    assert_int_equal(name_from_path((struct slice){"a/\0", 3}, (char[NAME_BYTES_MAX]){0}, &(struct slice){0}),
                     NAME_BAD_KEY);
}

static void test_namespace_takes_only_its_alphabet(void **state)
{
    (void)state;
    char path[] = "?/key";

    for (int byte = 1; byte < 0x100; byte++) {
        if (byte == '%')
            continue;
        path[0] = (char)byte;
        enum name_error want = strchr(NS_BYTES, byte) ? NAME_OK : NAME_BAD_NS;
        assert_int_equal(path_error(path), want);
        assert_int_equal(name_check_ns((struct slice){path, 1}), want);
    }
    assert_int_equal(path_error("a%2Fb/c"), NAME_BAD_NS);
    assert_int_equal(path_error("a%00/c"), NAME_BAD_NS);
    assert_int_equal(name_check_ns(SLICE("a%62")), NAME_BAD_NS);
}

/* Whatever the length, so that every way of looking at a run of bytes sees each of them. */
static void test_every_byte_is_judged_alike_at_every_place(void **state)
{
    (void)state;
    char path[48];

    for (size_t bytes = 3; bytes < sizeof(path); bytes++) {
        for (size_t at = 0; at < bytes; at++) {
            for (int byte = 0; byte < 0x100; byte++) {
                memset(path, 'a', bytes);
                path[bytes / 2] = '/';
                if (at == bytes / 2 || byte == '%' || (byte == '/' && at < bytes / 2))
                    continue;
                path[at] = (char)byte;
                bool ns = at < bytes / 2;
                bool good = ns ? byte != 0 && strchr(NS_BYTES, byte) != NULL
                               : byte >= 0x20 && byte != 0x7f && byte != '{' && byte != '}';
                enum name_error want = good ? NAME_OK : ns ? NAME_BAD_NS : NAME_BAD_KEY;
                char scratch[NAME_BYTES_MAX];
                struct slice name;
                if (name_from_path(at_page_end(path, bytes), scratch, &name) != want)
                    fail_msg("byte 0x%02x at %zu of %zu", (unsigned)byte, at, bytes);
            }
        }
    }
}

static void test_missing_parts_are_refused(void **state)
{
    (void)state;
    assert_int_equal(path_error(""), NAME_BAD_NS);
    assert_int_equal(path_error("/key"), NAME_BAD_NS);
    assert_int_equal(path_error("/"), NAME_BAD_NS);
    assert_int_equal(path_error("ns"), NAME_NO_KEY);
    assert_int_equal(path_error("ns/"), NAME_NO_KEY);
    assert_int_equal(name_check_ns((struct slice){NULL, 0}), NAME_BAD_NS);
    assert_int_equal(name_from_path((struct slice){NULL, 0}, (char[NAME_BYTES_MAX]){0}, &(struct slice){0}),
                     NAME_BAD_NS);
}

static void test_broken_escapes_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"a/%", "a/%2", "a/%zz", "a/%2g", "a/%g2", "a/x%", "%/x", "%6/x", "a/% 20"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(path_error(paths[i]), NAME_BAD_ESCAPE);
}

/* ns of `ns_bytes`, key of `key_bytes`, the key's bytes written as `key_byte`. */
static enum name_error sized_error(size_t ns_bytes, size_t key_bytes, const char *key_byte, struct slice *name)
{
    static char path[2048], scratch[NAME_BYTES_MAX];
    size_t bytes = ns_bytes + 1;

    memset(path, 'n', ns_bytes);
    path[ns_bytes] = '/';
    for (size_t i = 0; i < key_bytes; i++)
        bytes += (size_t)sprintf(path + bytes, "%s", key_byte);
    return name_from_path(at_page_end(path, bytes), scratch, name);
}

static void test_lengths_count_after_decoding(void **state)
{
    (void)state;
    struct slice name;

    assert_int_equal(sized_error(NAME_NS_BYTES_MAX, NAME_KEY_BYTES_MAX, "k", &name), NAME_OK);
    assert_int_equal(name.bytes, NAME_BYTES_MAX);
    assert_int_equal(sized_error(NAME_NS_BYTES_MAX, NAME_KEY_BYTES_MAX, "%41", &name), NAME_OK);
    assert_int_equal(name.bytes, NAME_BYTES_MAX);
    assert_int_equal(sized_error(NAME_NS_BYTES_MAX + 1, 1, "k", &name), NAME_TOO_LONG);
    assert_int_equal(sized_error(1, NAME_KEY_BYTES_MAX + 1, "k", &name), NAME_TOO_LONG);
    assert_int_equal(sized_error(1, NAME_KEY_BYTES_MAX + 1, "%41", &name), NAME_TOO_LONG);
}

static void test_parts_are_joined_as_they_stand(void **state)
{
    (void)state;
    char scratch[NAME_BYTES_MAX];
    struct slice name = {NULL, 0};

    assert_int_equal(name_from_parts(SLICE("blog"), SLICE("a%20/b"), scratch, &name), NAME_OK);
    assert_name(name, "blog/a%20/b", 11);
    assert_int_equal(name_from_parts(SLICE("a/b"), SLICE("c"), scratch, &name), NAME_BAD_NS);
    assert_int_equal(name_from_parts(SLICE(""), SLICE("c"), scratch, &name), NAME_BAD_NS);
    assert_int_equal(name_from_parts(SLICE("a"), SLICE(""), scratch, &name), NAME_NO_KEY);
    assert_int_equal(name_from_parts(SLICE("a"), SLICE("b\n"), scratch, &name), NAME_BAD_KEY);
    assert_name(name, "blog/a%20/b", 11); /* failures leave the output alone */
}

static void test_a_key_in_a_query_is_decoded_as_one(void **state)
{
    (void)state;
    char scratch[NAME_BYTES_MAX];
    struct slice name = {NULL, 0};

    assert_int_equal(name_from_query(SLICE("bl%6Fg"), SLICE("%2Fa+b%2Bc.gif"), scratch, &name), NAME_OK);
    assert_name(name, "blog//a b+c.gif", 15);
    assert_int_equal(name_from_query(SLICE("blog/"), SLICE("a"), scratch, &name), NAME_OK);
    assert_name(name, "blog/a", 6);
    assert_int_equal(name_from_query(SLICE("blog//"), SLICE("a"), scratch, &name), NAME_BAD_NS);
    assert_int_equal(name_from_query(SLICE("b+g"), SLICE("a"), scratch, &name), NAME_BAD_NS);
    assert_int_equal(name_from_query(SLICE(""), SLICE("a"), scratch, &name), NAME_BAD_NS);
    assert_int_equal(name_from_query(SLICE("blog"), SLICE(""), scratch, &name), NAME_NO_KEY);
    assert_int_equal(name_from_query(SLICE("blog"), (struct slice){0}, scratch, &name), NAME_NO_KEY);
    assert_int_equal(name_from_query(SLICE("blog"), SLICE("%2"), scratch, &name), NAME_BAD_ESCAPE);
}

static void test_every_error_has_its_own_word(void **state)
{
    (void)state;
    for (int a = NAME_OK; a <= NAME_BAD_ESCAPE; a++)
        for (int b = NAME_OK; b < a; b++)
            assert_string_not_equal(name_error_text((enum name_error)a), name_error_text((enum name_error)b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_path_is_used_in_place),
        cmocka_unit_test(test_key_is_everything_after_the_first_slash),
        cmocka_unit_test(test_escapes_are_decoded_once),
        cmocka_unit_test(test_names_that_would_mislead_redis_are_refused),
        cmocka_unit_test(test_control_bytes_are_refused_raw_and_encoded),
        cmocka_unit_test(test_namespace_takes_only_its_alphabet),
        cmocka_unit_test(test_every_byte_is_judged_alike_at_every_place),
        cmocka_unit_test(test_missing_parts_are_refused),
        cmocka_unit_test(test_broken_escapes_are_refused),
        cmocka_unit_test(test_lengths_count_after_decoding),
        cmocka_unit_test(test_parts_are_joined_as_they_stand),
        cmocka_unit_test(test_a_key_in_a_query_is_decoded_as_one),
        cmocka_unit_test(test_every_error_has_its_own_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
