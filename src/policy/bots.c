/* One automaton for all words (Aho and Corasick, 1975): a field is walked once, a step a byte, however many words there
 * are and whatever a client sends. A step is one load from the table, and once a word was seen the walk stays where it
 * is, so that the loop has no branch. */

#include "policy/bots.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"

#define AGENT_BYTES_MAX 512 /* of a longer one only these are looked at */
#define TABLE_BYTES_MAX (64u << 20)

enum { SEEN, START, STATES_FIRST }; /* the first two states */

struct bots {
    uint32_t count;
    uint32_t width;      /* of a row of the table: different letters of the words, and one for all others */
    uint8_t column[256]; /* of a byte; a letter has one for both cases, 0 is for what no word has */
    uint32_t *next;      /* owned; a row a state: where its next state's row begins */
    uint32_t states;     /* rows in use */
    const char **words;  /* owned; while it is made only */
    uint32_t *less;      /* owned, likewise: by state, the longest other state that ends alike */
};

static int words_take(struct bots *b, char *text, struct error *err)
{
    struct lines lines = {.rest = text};
    int failed = lines_check(text, err);
    if (failed)
        return failed;
    b->words = calloc(BOTS_MAX, sizeof(*b->words));
    if (!b->words)
        return error_set(err, -ENOMEM, "no memory for bots");
    for (char *line; (line = lines_next(&lines));) {
        if (b->count == BOTS_MAX)
            return error_set(err, -EINVAL, "it has more than %d words", BOTS_MAX);
        b->words[b->count++] = line;
    }
    return b->count ? 0 : error_set(err, -EINVAL, "it has no word");
}

/* A byte's column, and the same for the other case of a letter. */
static void columns_number(struct bots *b)
{
    b->width = 1;
    for (uint32_t i = 0; i < b->count; i++)
        for (const char *at = b->words[i]; *at; at++) {
            unsigned char lower = (unsigned char)tolower((unsigned char)*at), upper = (unsigned char)toupper(lower);
            if (!b->column[lower])
                b->column[lower] = b->column[upper] = (uint8_t)b->width++;
        }
}

static int table_reserve(struct bots *b, struct error *err)
{
    size_t states = STATES_FIRST;
    for (uint32_t i = 0; i < b->count; i++)
        states += strlen(b->words[i]);
    if (states * b->width > TABLE_BYTES_MAX / sizeof(*b->next))
        return error_set(err, -EINVAL, "its words need more than %u MiB of memory", TABLE_BYTES_MAX >> 20);
    b->next = calloc(states * b->width, sizeof(*b->next));
    b->less = calloc(states, sizeof(*b->less));
    return b->next && b->less ? 0 : error_set(err, -ENOMEM, "no memory for bots");
}

static uint32_t *step(struct bots *b, uint32_t state, uint32_t column)
{
    return &b->next[(size_t)state * b->width + column];
}

/* The tree of the words; 0 stands for no child, since no step leads to SEEN before a word ends. */
static void word_plant(struct bots *b, const char *word, uint8_t *ends)
{
    uint32_t state = START;
    for (; *word; word++) {
        uint32_t *child = step(b, state, b->column[(unsigned char)*word]);
        if (*child == 0)
            *child = b->states++;
        state = *child;
    }
    ends[state] = 1;
}

/* In the order of their lengths, so that what ends alike and is shorter is whole by then. `queue` has room for all. */
static void automaton_close(struct bots *b, const uint8_t *ends, uint32_t *queue)
{
    uint32_t head = 0, tail = 0;
    queue[tail++] = START;
    while (head < tail) {
        uint32_t state = queue[head++];
        for (uint32_t column = 0; column < b->width; column++) {
            uint32_t *to = step(b, state, column), other = state == START ? START : *step(b, b->less[state], column);
            if (*to == 0) {
                *to = other;
                continue;
            }
            b->less[*to] = other;
            if (ends[*to] || other == SEEN)
                *to = SEEN; /* what stands behind a word is not asked for */
            else
                queue[tail++] = *to;
        }
    }
}

static int automaton_make(struct bots *b, struct error *err)
{
    columns_number(b);
    int failed = table_reserve(b, err);
    if (failed)
        return failed;
    b->states = STATES_FIRST;
    size_t rows = STATES_FIRST;
    for (uint32_t i = 0; i < b->count; i++)
        rows += strlen(b->words[i]);
    uint8_t *ends = calloc(rows, sizeof(*ends));
    uint32_t *queue = calloc(rows, sizeof(*queue));
    if (ends && queue) {
        for (uint32_t i = 0; i < b->count; i++)
            word_plant(b, b->words[i], ends);
        automaton_close(b, ends, queue);
        for (size_t i = 0; i < (size_t)b->states * b->width; i++)
            b->next[i] *= b->width;
    }
    failed = ends && queue ? 0 : error_set(err, -ENOMEM, "no memory for bots");
    free(ends);
    free(queue);
    return failed;
}

int bots_create(struct bots **out, char *text, struct error *err)
{
    struct bots *b = calloc(1, sizeof(*b));
    int failed = b ? words_take(b, text, err) : error_set(err, -ENOMEM, "no memory for bots");
    if (!failed)
        failed = automaton_make(b, err);
    free(text);
    if (failed) {
        bots_destroy(b);
        return failed;
    }
    free(b->words);
    free(b->less);
    b->words = NULL;
    b->less = NULL;
    uint32_t *fitting = realloc(b->next, (size_t)b->states * b->width * sizeof(*b->next));
    b->next = fitting ? fitting : b->next;
    *out = b;
    return 0;
}

uint32_t bots_count(const struct bots *b) { return b->count; }

void bots_destroy(struct bots *b)
{
    if (!b)
        return;
    free(b->words);
    free(b->less);
    free(b->next);
    free(b);
}

bool bots_know(const struct bots *b, struct slice user_agent)
{
    size_t bytes = user_agent.bytes < AGENT_BYTES_MAX ? user_agent.bytes : AGENT_BYTES_MAX;
    uint32_t row = START * b->width;
    for (size_t i = 0; i < bytes; i++)
        row = b->next[row + b->column[(unsigned char)user_agent.at[i]]];
    return row == SEEN;
}
