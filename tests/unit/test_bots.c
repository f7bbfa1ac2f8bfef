#include "policy/bots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bots *bots_of(const char *text)
{
    struct bots *b;
    struct error err;
    assert_int_equal(bots_create(&b, strdup(text), &err), 0);
    return b;
}

static bool know(const struct bots *b, const char *agent) { return bots_know(b, (struct slice){agent, strlen(agent)}); }

static void test_a_word_is_found_wherever_it_stands_and_within_others(void **state)
{
    (void)state;
    struct bots *b = bots_of("she\nhers\nhis\nxyxz\n\xc3\xa9t\xc3\xa9\n");
    assert_int_equal(bots_count(b), 5);
    assert_true(know(b, "ushers"));
    assert_true(know(b, "aHERS"));
    assert_true(know(b, "xyxyxz"));
    assert_true(know(b, "en \xc3\xa9t\xc3\xa9."));
    assert_false(know(b, "hihiheherh"));
    assert_false(know(b, "xyxyx"));
    assert_false(know(b, "\xc3\xa9\xc3\xa9"));
    assert_false(know(b, ""));
    bots_destroy(b);
}

static uint32_t chance(uint32_t *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 16; }

/* Beside strcasestr(3), over a small alphabet, where words overlap in all ways. */
static void test_the_automaton_finds_what_a_search_for_each_word_finds(void **state)
{
    (void)state;
    uint32_t seed = 1, found = 0;
    for (int round = 0; round < 300; round++) {
        char words[12][8], text[256] = "";
        unsigned count = 1 + chance(&seed) % 12;
        for (unsigned i = 0; i < count; i++) {
            unsigned bytes = 1 + chance(&seed) % 6;
            for (unsigned k = 0; k < bytes; k++)
                words[i][k] = "aAbC-"[chance(&seed) % 5];
            words[i][bytes] = '\0';
            strcat(strcat(text, words[i]), "\n");
        }
        struct bots *b = bots_of(text);
        for (int k = 0; k < 40; k++) {
            char agent[24] = "";
            bool expected = false;
            for (unsigned at = 0; at < 1 + chance(&seed) % 20; at++)
                agent[at] = "aBcd-"[chance(&seed) % 5];
            for (unsigned i = 0; i < count; i++)
                expected |= strcasestr(agent, words[i]) != NULL;
            found += expected;
            if (know(b, agent) != expected)
                fail_msg("'%s' in '%s': expected %d", agent, text, expected);
        }
        bots_destroy(b);
    }
    assert_in_range(found, 2000, 11000); /* both happen */
}

static void test_the_largest_list_is_taken_and_only_the_first_bytes_are_looked_at(void **state)
{
    (void)state;
    char *text = malloc(BOTS_MAX * 128 + 1), agent[600];
    size_t bytes = 0;
    for (int i = 0; i < BOTS_MAX; i++)
        bytes += (size_t)sprintf(text + bytes, "%0110d-bot-%d\n", i * 7919, i);
    struct bots *b = bots_of(text);
    memset(agent, '0', sizeof(agent));
    memcpy(agent + 480, "0-bot-0", 8);
    assert_true(know(b, agent));
    memset(agent, '0', sizeof(agent));
    memcpy(agent + 510, "0-bot-0", 8);
    assert_false(know(b, agent));
    bots_destroy(b);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_word_is_found_wherever_it_stands_and_within_others),
        cmocka_unit_test(test_the_automaton_finds_what_a_search_for_each_word_finds),
        cmocka_unit_test(test_the_largest_list_is_taken_and_only_the_first_bytes_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
