#include "app/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "forms/csv.h"
#include "tally/shard.h"
#include "tally/tally.h"

#define NO_COLUMN UINT32_MAX

struct columns {
    uint32_t ns, key, value, bot; /* which field; NO_COLUMN: none */
};

struct csv_file {
    struct csv_file_config config;
    char *text; /* mapped; private, as reading it unquotes it; NULL: it is empty */
    size_t bytes, at;
    uint64_t line, identity;
    struct columns columns;
    struct csv_record first; /* of a file without a header … */
    bool again;              /* … which is still to be given */
    struct tally *views;     /* owned; pages of GoatCounter, added up; NULL: another form */
    uint32_t page;           /* of them, the next */
    struct csv_skipped skipped;
};

static void skip(struct csv_file *f, uint64_t line, const char *why)
{
    if (f->skipped.rows++ == 0) {
        f->skipped.first_line = line;
        f->skipped.first_why = why;
    }
}

/* ---- records ---- */

static uint64_t lines_in(const char *text, size_t bytes)
{
    uint64_t lines = 0;
    for (const char *end = text + bytes; (text = memchr(text, '\n', (size_t)(end - text))); text++)
        lines++;
    return lines;
}

/* 1; 0: the end; -EINVAL. `line`: of its beginning. */
static int record_next(struct csv_file *f, struct csv_record *record, uint64_t *line, struct error *err)
{
    if (f->again) {
        f->again = false;
        *record = f->first;
        *line = 1;
        return 1;
    }
    while (f->at < f->bytes) {
        int read = csv_read(f->text + f->at, f->bytes - f->at, true, record);
        *line = f->line;
        f->line += lines_in(f->text + f->at, record->bytes);
        f->at += record->bytes;
        if (read < 0)
            return error_set(err, read, "line %llu: a quote is not closed, or stands within a field",
                             (unsigned long long)*line);
        if (record->count > 0)
            return 1;
    }
    return 0;
}

static bool field_is(struct slice field, const char *const names[])
{
    for (; *names; names++)
        if (strlen(*names) == field.bytes && strncasecmp(*names, field.at, field.bytes) == 0)
            return true;
    return false;
}

static uint32_t column_find(const struct csv_record *record, const char *const names[])
{
    for (uint32_t i = 0; i < record->count; i++)
        if (field_is(record->fields[i], names))
            return i;
    return NO_COLUMN;
}

/* 0 to 2^63-1, in digits. */
static bool value_read(struct slice text, int64_t *out)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.bytes; i++)
        if (text.at[i] < '0' || text.at[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.at[i] - '0', &value))
            return false;
    *out = value;
    return text.bytes > 0;
}

/* ---- forms ---- */

static struct slice goat_version(struct slice field)
{
    while (field.bytes > 0 && ((*field.at >= '0' && *field.at <= '9') || *field.at == ','))
        field.at++, field.bytes--;
    return field;
}

static bool is_goat(const struct csv_record *first)
{
    static const char *const path[] = {"Path", NULL}, *const bot[] = {"Bot", NULL};
    return first->fields[0].bytes > 4 && field_is(goat_version(first->fields[0]), path) &&
           column_find(first, bot) != NO_COLUMN;
}

/* A header that names a key and a value; or no header: three fields, or two of which the first is Abacus' key. */
static bool columns_find(struct columns *c, const struct csv_record *first, bool *header)
{
    static const char *const ns[] = {"ns", "namespace", NULL}, *const key[] = {"key", "name", "path", "page", NULL},
                             *const value[] = {"value", "count", "hits", "views", NULL};
    int64_t number;
    *c = (struct columns){column_find(first, ns), column_find(first, key), column_find(first, value), NO_COLUMN};
    *header = c->key != NO_COLUMN && c->value != NO_COLUMN;
    if (*header)
        return true;
    if (first->count < 2 || first->count > 3 || !value_read(first->fields[first->count - 1], &number))
        return false;
    *c = first->count == 3 ? (struct columns){0, 1, 2, NO_COLUMN} : (struct columns){NO_COLUMN, 0, 1, NO_COLUMN};
    return true;
}

/* "K:namespace:key" of Abacus' Redis. */
static void abacus_split(struct slice field, struct slice *ns, struct slice *key)
{
    const char *colon =
        field.bytes > 2 && memcmp(field.at, "K:", 2) == 0 ? memchr(field.at + 2, ':', field.bytes - 2) : NULL;
    if (!colon)
        return;
    *ns = (struct slice){field.at + 2, (size_t)(colon - field.at - 2)};
    *key = (struct slice){colon + 1, field.bytes - 2 - ns->bytes - 1};
}

static const char *name_of(const struct csv_file *f, struct slice ns, struct slice key, char scratch[NAME_BYTES_MAX],
                           struct slice *name)
{
    if (!ns.at)
        ns = (struct slice){f->config.ns, strlen(f->config.ns)};
    if (ns.bytes == 0)
        return "it names no namespace: give --import-ns";
    return name_from_parts(ns, key, scratch, name) == NAME_OK
               ? NULL
               : "it is no counter's name: a namespace is 1 to 64 of A-Z a-z 0-9 _ . -, a key 1 to 256 bytes without "
                 "control bytes and braces";
}

/* ---- pages of GoatCounter ---- */

static const char *view_add(struct csv_file *f, const struct csv_record *record)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    if (f->columns.bot >= record->count)
        return "it has fewer fields than the first line";
    struct slice bot = record->fields[f->columns.bot];
    if (bot.bytes > 0 && !slice_equals(bot, SLICE("0")))
        return NULL; /* as GoatCounter does not show them either */
    const char *why = name_of(f, (struct slice){0}, record->fields[0], scratch, &name);
    if (!why && tally_hit(f->views, 0, name, 1) != TALLY_COUNTED)
        why = "it has more pages than --max-keys says";
    return why;
}

static int views_add_up(struct csv_file *f, struct error *err)
{
    struct csv_record record;
    uint64_t line;
    int read;
    while ((read = record_next(f, &record, &line, err)) > 0) {
        const char *why = view_add(f, &record);
        if (why)
            skip(f, line, why);
    }
    return read;
}

static int goat_open(struct csv_file *f, const struct csv_record *first, struct error *err)
{
    static const char *const bot[] = {"Bot", NULL};
    f->columns.bot = column_find(first, bot);
    if (*f->config.ns == '\0')
        return error_set(err, -EINVAL, "GoatCounter's pages have no namespace: give --import-ns");
    if (tally_create(&f->views, &(struct tally_config){.workers = 1, .keys_max = f->config.pages_max}) != 0)
        return error_set(err, -ENOMEM, "no memory for the pages: lower --max-keys");
    return views_add_up(f, err);
}

static int view_next(struct csv_file *f, struct csv_row *row)
{
    const struct shard *shard = tally_shard(f->views, 0);
    if (f->page == shard_cells(shard))
        return 0;
    struct slice name = shard_name(shard, f->page);
    row->name_bytes = (uint16_t)name.bytes;
    memcpy(row->name, name.at, name.bytes);
    row->value = (int64_t)shard_count(shard, f->page++);
    return 1;
}

/* ---- the file ---- */

static const char *row_read(const struct csv_file *f, const struct csv_record *record, struct csv_row *row)
{
    const struct columns *c = &f->columns;
    struct slice ns = {0}, name;
    char scratch[NAME_BYTES_MAX];
    if (c->key >= record->count || c->value >= record->count || (c->ns != NO_COLUMN && c->ns >= record->count))
        return "it has fewer fields than the first line";
    struct slice key = record->fields[c->key];
    if (c->ns != NO_COLUMN)
        ns = record->fields[c->ns];
    else
        abacus_split(key, &ns, &key); /* or it has --import-ns */
    if (!value_read(record->fields[c->value], &row->value))
        return "its value is no number from 0 to 2^63-1";
    const char *why = name_of(f, ns, key, scratch, &name);
    if (why)
        return why;
    row->name_bytes = (uint16_t)name.bytes;
    memcpy(row->name, name.at, name.bytes);
    return NULL;
}

int csv_file_next(struct csv_file *f, struct csv_row *row, struct error *err)
{
    struct csv_record record;
    uint64_t line;
    int read;
    if (f->views)
        return view_next(f, row);
    while ((read = record_next(f, &record, &line, err)) > 0) {
        const char *why = row_read(f, &record, row);
        if (!why)
            return 1;
        skip(f, line, why);
    }
    return read;
}

void csv_skipped(const struct csv_file *f, struct csv_skipped *out) { *out = f->skipped; }
uint64_t csv_file_identity(const struct csv_file *f) { return f->identity; }

static int file_map(struct csv_file *f, struct error *err)
{
    enum { BEGINNING = 1 << 16 };
    struct stat st;
    int fd = open(f->config.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int failed = -errno;
        if (fd >= 0)
            close(fd);
        return error_set(err, failed, "%s: %s", f->config.path, strerror(-failed));
    }
    f->bytes = (size_t)st.st_size;
    void *at = f->bytes > 0 ? mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (at == MAP_FAILED)
        return error_set(err, -errno, "%s: it cannot be mapped: %s", f->config.path, strerror(errno));
    f->text = at;
    f->identity = (uint64_t)crc32c(0, f->text, f->bytes < BEGINNING ? f->bytes : BEGINNING) << 32 ^ f->bytes;
    return 0;
}

static int form_find(struct csv_file *f, struct error *err)
{
    struct csv_record first;
    uint64_t line;
    bool header;
    int read = record_next(f, &first, &line, err);
    if (read <= 0)
        return read < 0 ? read : error_set(err, -EINVAL, "%s: it has no line", f->config.path);
    if (is_goat(&first))
        return goat_open(f, &first, err);
    if (!columns_find(&f->columns, &first, &header))
        return error_set(err, -EINVAL,
                         "%s: line 1 is neither \"ns,key,value\" nor a header with key and value, nor GoatCounter's",
                         f->config.path);
    f->first = first;
    f->again = !header;
    return 0;
}

int csv_file_open(struct csv_file **out, const struct csv_file_config *config, struct error *err)
{
    struct csv_file *f = calloc(1, sizeof(*f));
    if (!f)
        return error_set(err, -ENOMEM, "no memory for the import");
    *f = (struct csv_file){.config = *config, .line = 1};
    int failed = file_map(f, err);
    if (!failed)
        failed = form_find(f, err);
    if (failed) {
        csv_file_close(f);
        return failed;
    }
    *out = f;
    return 0;
}

void csv_file_close(struct csv_file *f)
{
    if (!f)
        return;
    if (f->views)
        tally_destroy(f->views);
    if (f->text)
        munmap(f->text, f->bytes);
    free(f);
}
