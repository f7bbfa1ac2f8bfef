/* Options from any bytes: words that end in NUL, which are flags, variables of the environment (TALLYD_...=...), or
 * else lines of the configuration file. Refused: one sentence that says why. Taken: what --check prints can be read
 * back as a file, and says the same (when a file was all that there was). */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/options_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { WORDS_MAX = 64 };

static const char *const no_environment[] = {NULL};

struct words {
    char *text; /* owned */
    const char *flags[WORDS_MAX + 3], *environment[WORDS_MAX + 1];
    int flags_count, environment_count;
    struct buf file;
    char config[48]; /* the flag that names the file */
};

static bool starts(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* A file in memory, by a name that can be opened; one descriptor for the life of the process. */
static void config_write(struct slice text, char *flag, size_t flag_bytes)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("options", 0);
    assert(fd >= 0);
    int cut = ftruncate(fd, 0);
    ssize_t written = pwrite(fd, text.bytes ? text.at : "", text.bytes, 0);
    assert(cut == 0 && written == (ssize_t)text.bytes);
    snprintf(flag, flag_bytes, "--config=/proc/self/fd/%d", fd);
}

/* Another file than ours is none of the fuzzer's business. */
static void word_take(struct words *w, const char *word)
{
    bool names_a_file = starts(word, "--config") || starts(word, "TALLYD_CONFIG");

    if (names_a_file)
        return;
    if (starts(word, "TALLYD_"))
        w->environment[w->environment_count++] = word;
    else if (starts(word, "-"))
        w->flags[w->flags_count++] = word;
    else
        buf_printf(&w->file, "%s\n", word);
}

static void words_take(struct words *w, const uint8_t *data, size_t bytes)
{
    w->text = malloc(bytes + 1);
    assert(w->text);
    memcpy(w->text, data, bytes);
    w->text[bytes] = '\0';
    w->flags[w->flags_count++] = "tallyd";
    char *word = w->text;
    for (int i = 0; i < WORDS_MAX && word < w->text + bytes; i++, word += strlen(word) + 1)
        word_take(w, word);
    config_write(buf_slice(&w->file), w->config, sizeof(w->config));
    w->flags[w->flags_count++] = w->config;
}

static void check_reads_back(const struct options *first)
{
    struct buf printed = {0};
    struct options second;
    struct error err;
    char flag[48];

    options_print_effective(first, &printed);
    config_write(buf_slice(&printed), flag, sizeof(flag));
    const char *const argv[] = {"tallyd", flag, NULL};
    if (options_load(&second, 2, argv, no_environment, &err) != 0) {
        fprintf(stderr, "%s\n%.*s\n", err.text, (int)printed.bytes, printed.data);
        abort();
    }
    for (enum option_index i = 0; i < OPTIONS; i++)
        if (option_at(i)->sources & SOURCE_FILE && strcmp(option_shown(first, i), option_shown(&second, i)) != 0) {
            fprintf(stderr, "%s: '%s' became '%s'\n", option_at(i)->name, option_shown(first, i),
                    option_shown(&second, i));
            abort();
        }
    options_fini(&second);
    buf_fini(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct words w = {0};
    struct options o;
    struct error err = {0};

    words_take(&w, data, bytes);
    int result = options_load(&o, w.flags_count, w.flags, w.environment, &err);
    assert(result == 0 || result == -EINVAL);
    if (result == 0) {
        /* A flag may hold what no line of a file can: a line's end, or blanks around it. */
        if (w.flags_count == 2 && w.environment_count == 0)
            check_reads_back(&o);
        options_fini(&o);
    } else {
        assert(strlen(err.text) > 10);
    }
    buf_fini(&w.file);
    free(w.text);
    return 0;
}
