#include "http/list.h"

#include "http/field.h"

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static struct slice trim(struct slice s)
{
    while (s.bytes > 0 && is_space(*s.at))
        s.at++, s.bytes--;
    while (s.bytes > 0 && is_space(s.at[s.bytes - 1]))
        s.bytes--;
    return s;
}

bool list_next(struct slice *rest, struct slice *element)
{
    while (rest->bytes > 0) {
        const char *comma = memchr(rest->at, ',', rest->bytes);
        size_t bytes = comma != NULL ? (size_t)(comma - rest->at) : rest->bytes;
        *element = trim((struct slice){rest->at, bytes});
        bytes += comma != NULL;
        *rest = (struct slice){rest->at + bytes, rest->bytes - bytes};
        if (element->bytes > 0)
            return true;
    }
    return false;
}

/* Cuts `bytes` off the end, and the `separator` bytes in front of them. */
static struct slice end_take(struct slice *rest, size_t bytes, size_t separator)
{
    struct slice end = {rest->at + rest->bytes - bytes, bytes};
    rest->bytes -= bytes + separator;
    return end;
}

/* The last line: the first of all is a bare value, the others begin with a name, which may be another field's. */
static struct slice line_last_take(struct list *list)
{
    for (;;) {
        const char *lf = memrchr(list->rest.at, '\n', list->rest.bytes);
        if (lf == NULL)
            return end_take(&list->rest, list->rest.bytes, 0);
        struct slice line = end_take(&list->rest, (size_t)(list->rest.at + list->rest.bytes - lf) - 1, 2);
        const char *colon = memchr(line.at, ':', line.bytes);
        size_t name_bytes = colon != NULL ? (size_t)(colon - line.at) : line.bytes;
        if (field_find((struct slice){line.at, name_bytes}) == (int)list->field)
            return (struct slice){colon + 1, line.bytes - name_bytes - 1};
    }
}

/* Walking backwards means that what a client wrote in front, say a quote without its end, cannot hide what a proxy
 * wrote behind it. */
static size_t element_start(struct slice line)
{
    bool quoted = false;
    size_t at = line.bytes;

    while (at > 0 && (quoted || line.at[at - 1] != ',')) {
        at--;
        quoted ^= line.at[at] == '"' && !(quoted && at > 0 && line.at[at - 1] == '\\');
    }
    return at;
}

bool list_last_take(struct list *list, struct slice *element)
{
    while (list->rest.bytes > 0) {
        const char *start = list->rest.at;
        struct slice line = line_last_take(list);
        size_t at = element_start(line);
        *element = trim((struct slice){line.at + at, line.bytes - at});
        if (at > 0) /* what stands in front of the comma, and with it the name of its line, is left */
            list->rest = (struct slice){start, (size_t)(line.at + at - 1 - start)};
        if (element->bytes > 0)
            return true;
    }
    return false;
}

/* Takes the next name=value off: up to a semicolon that stands in no quotes. A proxy may quote there what its client
 * wrote, Host for instance, which may hold semicolons. */
static struct slice pair_take(struct slice *rest)
{
    bool quoted = false;
    size_t bytes = 0;

    while (bytes < rest->bytes && (quoted || rest->at[bytes] != ';')) {
        bool pair = quoted && rest->at[bytes] == '\\' && bytes + 1 < rest->bytes;
        quoted ^= rest->at[bytes] == '"';
        bytes += 1 + pair;
    }
    struct slice taken = trim((struct slice){rest->at, bytes});
    bytes += bytes < rest->bytes;
    *rest = (struct slice){rest->at + bytes, rest->bytes - bytes};
    return taken;
}

struct slice list_parameter(struct slice element, struct slice name)
{
    while (element.bytes > 0) {
        struct slice pair = pair_take(&element);
        if (pair.bytes <= name.bytes || pair.at[name.bytes] != '=' || strncasecmp(pair.at, name.at, name.bytes) != 0)
            continue;
        struct slice value = {pair.at + name.bytes + 1, pair.bytes - name.bytes - 1};
        bool quoted = value.bytes >= 2 && value.at[0] == '"' && value.at[value.bytes - 1] == '"';
        return (struct slice){value.at + quoted, value.bytes - 2 * (size_t)quoted};
    }
    return (struct slice){0};
}
