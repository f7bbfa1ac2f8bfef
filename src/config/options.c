#include "config/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "config/config.h"
#include "config/option_value.h"
#include "config/options_agree.h"
#include "config/suggest.h"

#define CONFIG_BYTES_MAX (1024 * KIB)

#define OPTION_ROW(group_, name_, field_, type_, default_, min_, max_, sources_, argument_, help_)                     \
    {.group = group_,                                                                                                  \
     .name = name_,                                                                                                    \
     .fallback = default_,                                                                                             \
     .argument = argument_,                                                                                            \
     .help = help_,                                                                                                    \
     .type = OPTION_##type_,                                                                                           \
     .sources = sources_,                                                                                              \
     .min = min_,                                                                                                      \
     .max = max_,                                                                                                      \
     .offset = offsetof(struct options, field_)},
static const struct option rows[OPTIONS] = {OPTIONS_TABLE(OPTION_ROW)};
#undef OPTION_ROW

const struct option *option_at(enum option_index index) { return &rows[index]; }

const char *option_shown(const struct options *o, enum option_index index)
{
    const char *text = o->texts[index].text;
    if (rows[index].type != OPTION_SECRET)
        return text;
    return *text != '\0' ? "(set)" : "(not set)";
}

void option_env_name(const struct option *option, char out[OPTION_ENV_BYTES])
{
    size_t bytes = strlen(strcpy(out, "TALLYD_"));
    for (const char *at = option->name; *at != '\0' && bytes + 1 < OPTION_ENV_BYTES; at++)
        out[bytes++] = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    out[bytes] = '\0';
}

void option_origin(const struct options *o, enum option_index index, struct buf *out)
{
    const struct option_text *text = &o->texts[index];
    char env[OPTION_ENV_BYTES];
    switch (text->source) {
    case SOURCE_FLAG: buf_printf(out, "--%s", rows[index].name); break;
    case SOURCE_ENV:
        option_env_name(&rows[index], env);
        buf_printf(out, "%s", env);
        break;
    case SOURCE_FILE: buf_printf(out, "%s:%u", o->texts[OPTION_INDEX_config].text, text->line); break;
    default: buf_printf(out, "default"); break;
    }
}

/* The option whose name is the first `bytes` of `name`, or OPTIONS. */
static unsigned option_find(const char *name, size_t bytes)
{
    unsigned i = 0;
    while (i < OPTIONS && !(strlen(rows[i].name) == bytes && memcmp(rows[i].name, name, bytes) == 0))
        i++;
    return i;
}

/* The nearest name that `source` may give, or NULL when none is near. */
static const char *option_nearest(const char *name, unsigned source)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 2;
    for (unsigned i = 0; i < OPTIONS; i++) {
        size_t distance = suggest_distance(name, rows[i].name);
        if ((rows[i].sources & source) && distance < best) {
            best = distance;
            nearest = rows[i].name;
        }
    }
    return nearest;
}

static int flag_unknown(const char *name, struct error *err)
{
    const char *nearest = option_nearest(name, SOURCE_FLAG);
    if (nearest == NULL)
        return error_set(err, -EINVAL, "unknown option --%s; see tallyd --help", name);
    return error_set(err, -EINVAL, "unknown option --%s; did you mean --%s?", name, nearest);
}

/* "-v" and its like: all options are long, but those letters mean the same in most programs. */
static int letter_refuse(const char *flag, struct error *err)
{
    static const struct {
        char letter;
        const char *name;
    } usual[] = {{'v', "version"}, {'V', "version"}, {'c', "config"}, {'t', "check"}};
    const char *nearest = flag[2] != '\0' ? option_nearest(flag + 1, SOURCE_FLAG) : NULL;
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual) && flag[2] == '\0'; i++) {
        if (flag[1] == usual[i].letter)
            nearest = usual[i].name;
    }
    if (nearest == NULL)
        return error_set(err, -EINVAL, "unknown option %s; see tallyd --help", flag);
    return error_set(err, -EINVAL, "unknown option %s; did you mean --%s?", flag, nearest);
}

static const char *bare_value(const struct option *option)
{
    return option->type == OPTION_BOOL ? "true" : option->type == OPTION_HELP ? "text" : NULL;
}

/* One flag, and its value when that is the next argument; `*at` moves past both. */
static int flag_gather(struct option_text *texts, const char *const *argv, int argc, int *at, struct error *err)
{
    const char *flag = argv[(*at)++];
    if (strcmp(flag, "-h") == 0)
        flag = "--help";
    if (flag[0] == '-' && flag[1] != '\0' && flag[1] != '-')
        return letter_refuse(flag, err);
    if (strncmp(flag, "--", 2) != 0 || flag[2] == '\0')
        return error_set(err, -EINVAL, "unexpected argument '%s'; options look like --name value", flag);
    const char *name = flag + 2, *equals = strchr(name, '=');
    size_t bytes = equals != NULL ? (size_t)(equals - name) : strlen(name);
    unsigned i = option_find(name, bytes);
    if (i == OPTIONS) {
        char cut[SUGGEST_BYTES_MAX + 1] = {0};
        memcpy(cut, name, bytes < SUGGEST_BYTES_MAX ? bytes : SUGGEST_BYTES_MAX);
        return flag_unknown(cut, err);
    }
    if (!(rows[i].sources & SOURCE_FLAG))
        return error_set(err, -EINVAL,
                         "--%s is not a flag, as other users can read command lines; "
                         "use --redis-password-file or TALLYD_REDIS_PASSWORD",
                         rows[i].name);
    const char *text = equals != NULL ? equals + 1 : bare_value(&rows[i]);
    if (text == NULL && *at == argc)
        return error_set(err, -EINVAL, "--%s needs a value: --%s %s", rows[i].name, rows[i].name, rows[i].argument);
    texts[i] = (struct option_text){.text = text != NULL ? text : argv[(*at)++], .source = SOURCE_FLAG};
    return 0;
}

/* Other TALLYD_ variables are warned of (unknown_env.h), not refused: Kubernetes makes some of its own. */
static void environment_gather(struct option_text *texts, const char *const *environment)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        char name[OPTION_ENV_BYTES];
        option_env_name(&rows[i], name);
        size_t bytes = strlen(name);
        for (const char *const *at = environment; *at != NULL; at++) {
            if ((rows[i].sources & SOURCE_ENV) && strncmp(*at, name, bytes) == 0 && (*at)[bytes] == '=')
                texts[i] = (struct option_text){.text = *at + bytes + 1, .source = SOURCE_ENV};
        }
    }
}

static int line_gather(struct option_text *texts, const char *path, const struct config_line *line, struct error *err)
{
    unsigned i = option_find(line->name, strlen(line->name));
    if (i == OPTIONS || !(rows[i].sources & SOURCE_FILE)) {
        if (i != OPTIONS)
            return error_set(err, -EINVAL, "%s:%u: '%s' cannot stand in a file; give it %s", path, line->number,
                             line->name, rows[i].sources & SOURCE_FLAG ? "on the command line" : "in the environment");
        const char *nearest = option_nearest(line->name, SOURCE_FILE);
        return error_set(err, -EINVAL, "%s:%u: unknown option '%s'%s%s%s", path, line->number, line->name,
                         nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "'?" : "");
    }
    if (texts[i].source == SOURCE_FILE)
        return error_set(err, -EINVAL, "%s:%u: '%s' is given twice, first in line %u", path, line->number, line->name,
                         texts[i].line);
    texts[i] = (struct option_text){.text = line->value, .source = SOURCE_FILE, .line = line->number};
    return 0;
}

static int file_gather(struct options *o, struct option_text *texts, const char *path, struct error *err)
{
    struct error reason;
    if (file_read(path, CONFIG_BYTES_MAX, &o->file, &reason) != 0)
        return error_set(err, -EINVAL, "configuration: %s", reason.text);
    if (lines_check(o->file, &reason) != 0) /* an option that was cut off may be the one that closes a door */
        return error_set(err, -EINVAL, "configuration: '%s': %s", path, reason.text);
    struct config_line line = {0};
    char *rest = o->file;
    enum config_result result;
    while ((result = config_next(&rest, &line)) == CONFIG_LINE) {
        if (line_gather(texts, path, &line, err) != 0)
            return -EINVAL;
    }
    return result == CONFIG_END ? 0 : error_set(err, -EINVAL, "%s:%u: not 'name = value'", path, line.number);
}

static void texts_overlay(struct options *o, const struct option_text *texts)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (texts[i].text != NULL)
            o->texts[i] = texts[i];
    }
}

static int gather(struct options *o, int argc, const char *const *argv, const char *const *environment,
                  struct error *err)
{
    struct option_text flags[OPTIONS] = {0}, variables[OPTIONS] = {0}, lines[OPTIONS] = {0};
    for (int at = 1; at < argc;) {
        if (flag_gather(flags, argv, argc, &at, err) != 0)
            return -EINVAL;
    }
    if (flags[OPTION_INDEX_help].text == NULL && flags[OPTION_INDEX_version].text == NULL) {
        environment_gather(variables, environment);
        bool by_flag = flags[OPTION_INDEX_config].text != NULL;
        const char *path = (by_flag ? flags : variables)[OPTION_INDEX_config].text;
        if (path != NULL && file_gather(o, lines, path, err) != 0)
            return -EINVAL;
    }
    texts_overlay(o, lines);
    texts_overlay(o, variables);
    texts_overlay(o, flags);
    return 0;
}

static int value_set(struct options *o, unsigned i, struct error *err)
{
    struct error reason;
    if (option_value_set(o, &rows[i], o->texts[i].text, &reason) == 0)
        return 0;
    struct buf origin = {0};
    option_origin(o, i, &origin);
    const char *name = o->texts[i].source == SOURCE_FILE ? rows[i].name : "";
    error_set(err, -EINVAL, "%.*s: %s%s%s", (int)origin.bytes, origin.data, name, *name != '\0' ? ": " : "",
              reason.text);
    buf_fini(&origin);
    return -EINVAL;
}

static int values_set(struct options *o, struct error *err)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (value_set(o, i, err) != 0)
            return -EINVAL;
    }
    return 0;
}

int options_load(struct options *o, int argc, const char *const *argv, const char *const *environment,
                 struct error *err)
{
    memset(o, 0, sizeof(*o));
    for (unsigned i = 0; i < OPTIONS; i++)
        o->texts[i].text = rows[i].fallback;
    int result = gather(o, argc, argv, environment, err);
    bool only_help = o->texts[OPTION_INDEX_help].source != 0 || o->texts[OPTION_INDEX_version].source != 0;
    if (result == 0 && only_help) {
        o->version = o->texts[OPTION_INDEX_version].source != 0;
        result = value_set(o, OPTION_INDEX_help, err);
    } else if (result == 0) {
        result = values_set(o, err);
        result = result != 0 ? result : options_agree(o, err);
    }
    if (result != 0)
        options_fini(o);
    return result;
}

void options_fini(struct options *o)
{
    free(o->file);
    o->file = NULL;
}
