#include "config/option_value.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "from 10ms to 1h" in the unit of the option. */
static void bounds_format(const struct option *option, struct buf *out)
{
    char min[VALUE_TEXT_BYTES], max[VALUE_TEXT_BYTES];
    if (option->type == OPTION_DURATION) {
        value_format_duration(option->min, min);
        value_format_duration(option->max, max);
    } else if (option->type == OPTION_SIZE) {
        value_format_size(option->min, min);
        value_format_size(option->max, max);
    } else {
        snprintf(min, sizeof(min), "%" PRIu64, option->min);
        snprintf(max, sizeof(max), "%" PRIu64, option->max);
    }
    buf_printf(out, "from %s to %s", min, max);
}

static int number_refuse(const struct option *option, const char *text, struct error *err)
{
    static const char *const forms[] = {
        [OPTION_DURATION] = "a time: a number with us, ms, s, m or h,",
        [OPTION_SIZE] = "a size: a number of bytes, also with k, M or G,",
        [OPTION_COUNT] = "a whole number",
    };
    struct buf allowed = {0};
    bounds_format(option, &allowed);
    bool word = strchr(option->argument, '|') != NULL;
    int result = error_set(err, -EINVAL, "'%s' is not %s %.*s%s", text, forms[option->type], (int)allowed.bytes,
                           allowed.data, word ? ", or auto" : "");
    buf_fini(&allowed);
    return result;
}

static int number_set(const struct option *option, const char *text, uint64_t *out, struct error *err)
{
    uint64_t value;
    if (strchr(option->argument, '|') != NULL && strcmp(text, "auto") == 0) {
        *out = 0;
        return 0;
    }
    int result = option->type == OPTION_DURATION ? value_parse_duration(text, &value)
                 : option->type == OPTION_SIZE   ? value_parse_size(text, &value)
                                                 : value_parse_count(text, &value);
    if (result != 0 || value < option->min || value > option->max)
        return number_refuse(option, text, err);
    *out = value;
    return 0;
}

static int enum_set(const struct option *option, const char *text, uint32_t *out, struct error *err)
{
    if (value_parse_choice(text, option->argument, out) == 0)
        return 0;
    return error_set(err, -EINVAL, "'%s' is not one of %s", text, option->argument);
}

/* Keys are read in logs and shells, and braces choose the slot in a cluster. */
static int string_set(const struct option *option, const char *text, const char **out, struct error *err)
{
    size_t bytes = strlen(text);
    bool clean = strcspn(text, "{}\"\\") == bytes;
    for (size_t i = 0; i < bytes && clean; i++)
        clean = (unsigned char)text[i] > ' ' && text[i] != 0x7f;
    if (!clean || bytes > option->max)
        return error_set(err, -EINVAL,
                         "'%s' is not allowed: at most %" PRIu64 " bytes, no blanks, braces, quotes "
                         "or control bytes",
                         text, option->max);
    *out = text;
    return 0;
}

/* It is made or opened later. Logs quote it. */
static int folder_set(const struct option *option, const char *text, const char **out, struct error *err)
{
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || bytes > option->max)
            return error_set(err, -EINVAL, "not a folder's name: at most %" PRIu64 " bytes, no control bytes",
                             option->max);
    *out = text;
    return 0;
}

static int secret_set(const struct option *option, const char *text, const char **out, struct error *err)
{
    if (strlen(text) > option->max)
        return error_set(err, -EINVAL, "longer than %" PRIu64 " bytes", option->max);
    *out = text;
    return 0;
}

static int path_set(const char *text, const char **out, struct error *err)
{
    struct stat st;
    if (*text != '\0' && (access(text, R_OK) != 0 || stat(text, &st) != 0))
        return error_set(err, -EINVAL, "cannot read '%s': %s", text, strerror(errno));
    if (*text != '\0' && S_ISDIR(st.st_mode))
        return error_set(err, -EINVAL, "'%s' is a directory, not a file", text);
    *out = text;
    return 0;
}

static int redis_url_set(const char *text, struct redis_url *out, struct error *err)
{
    if (*text == '\0') {
        memset(out, 0, sizeof(*out));
        return 0;
    }
    return redis_url_parse(text, out, err); /* never repeats the text, as a password may be in it */
}

int option_value_set(struct options *o, const struct option *option, const char *text, struct error *err)
{
    void *field = (char *)o + option->offset;
    switch (option->type) {
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_COUNT: return number_set(option, text, field, err);
    case OPTION_ENUM: return enum_set(option, text, field, err);
    case OPTION_STRING: return string_set(option, text, field, err);
    case OPTION_SECRET: return secret_set(option, text, field, err);
    case OPTION_FILE: return path_set(text, field, err);
    case OPTION_FOLDER: return folder_set(option, text, field, err);
    case OPTION_REDIS_URL: return redis_url_set(text, field, err);
    case OPTION_HELP:
        *(const char **)field = text;
        return *text == '\0' || value_parse_choice(text, option->argument, &(uint32_t){0}) == 0
                   ? 0
                   : error_set(err, -EINVAL, "'%s' is not one of %s", text, option->argument);
    case OPTION_BOOL:
        return value_parse_bool(text, field) == 0 ? 0 : error_set(err, -EINVAL, "'%s' is not true or false", text);
    case OPTION_ADDRESS:
        return value_parse_address(text, field) == 0
                   ? 0
                   : error_set(err, -EINVAL,
                               "'%s' is not ADDR:PORT with a numeric address, like 0.0.0.0:8080 or [::1]:8080", text);
    }
    return 0;
}
