#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/words.h"

static void take(char out[WORDS_BYTES], const char *text) { words_take(out, (struct slice){text, strlen(text)}); }

static bool reveals(const char *words, const char *secret)
{
    return words_reveal(words, (struct slice){secret, strlen(secret)});
}

static void test_arguments_and_further_lines_are_cut_off(void **state)
{
    char words[WORDS_BYTES], text[2 * WORDS_BYTES];
    (void)state;

    take(words, "ERR unknown command 'AUTH', with args beginning with: 'app' 's3cret'");
    assert_string_equal(words, "ERR unknown command 'AUTH', ");
    take(words, "ERR one\r\nERR two");
    assert_string_equal(words, "ERR one");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    take(words, text);
    assert_int_equal(strlen(words), WORDS_BYTES - 1);
    words_take(words, (struct slice){NULL, 0});
    assert_string_equal(words, "");
}

static void test_words_with_a_piece_of_the_secret_are_known(void **state)
{
    (void)state;
    assert_true(reveals("ERR bad password hunter2hunter2", "hunter2hunter2"));
    assert_true(reveals("ERR you said HUNTER2-", "hunter2hunter2"));
    assert_true(reveals("ERR cut short: nter2hu", "hunter2hunter2"));
    assert_true(reveals("ERR abc", "abc"));
    assert_false(reveals("ERR max number of clients reached", "hunter2hunter2"));
    assert_false(reveals("ERR ab", "abc"));
    assert_false(reveals("ERR anything", ""));
    assert_false(reveals("", "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_and_further_lines_are_cut_off),
        cmocka_unit_test(test_words_with_a_piece_of_the_secret_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
