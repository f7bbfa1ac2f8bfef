#include "config/options_print.h"

#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT 30

/* `text` from column `column` on, wrapped at blanks; later lines are indented to the same column. */
static void wrapped_append(struct buf *out, const char *text, size_t column)
{
    size_t at = column;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (at + word > HELP_COLUMNS && at > column) {
            buf_printf(out, "\n%*s", (int)column, "");
            at = column;
        }
        buf_append(out, text, word);
        at += word;
        text += word;
        if (*text == ' ') {
            text++;
            if (at + 1 + strcspn(text, " ") <= HELP_COLUMNS)
                buf_append(out, " ", 1);
            at++;
        }
    }
    buf_append(out, "\n", 1);
}

static bool group_begins(unsigned index)
{
    return index == 0 || strcmp(option_at(index)->group, option_at(index - 1)->group) != 0;
}

static bool has_default(const struct option *option)
{
    return *option->fallback != '\0' && option->type != OPTION_BOOL;
}

/* The left column; on a line of its own when it is too long for it. */
static void help_name(const struct option *option, struct buf *out)
{
    size_t start = out->bytes;
    char env[OPTION_ENV_BYTES];
    if (!(option->sources & SOURCE_FLAG)) {
        option_env_name(option, env);
        buf_printf(out, "  %s", env);
    } else if (option->type == OPTION_HELP) {
        buf_printf(out, "  --%s[=%s]", option->name, option->argument);
    } else {
        buf_printf(out, "  --%s%s%s", option->name, *option->argument != '\0' ? " " : "", option->argument);
    }
    size_t columns = out->bytes - start;
    if (columns + 2 > HELP_INDENT)
        buf_printf(out, "\n%*s", HELP_INDENT, "");
    else
        buf_printf(out, "%*s", (int)(HELP_INDENT - columns), "");
}

void options_print_help(struct buf *out)
{
    buf_printf(out, "Usage: tallyd [options]\n\n"
                    "Counts page hits over HTTP and adds them to Redis, each exactly once.\n");
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = option_at(i);
        if (group_begins(i))
            buf_printf(out, "\n%s\n", option->group);
        help_name(option, out);
        struct buf help = {0};
        buf_printf(&help, "%s", option->help);
        if (has_default(option))
            buf_printf(&help, " (default %s)", option->fallback);
        buf_append(&help, "", 1);
        wrapped_append(out, help.data, HELP_INDENT);
        buf_fini(&help);
    }
    buf_printf(out, "\nEach option can also come from the environment (--flush-interval as\n"
                    "TALLYD_FLUSH_INTERVAL) or from the --config file (flush-interval = 1s).\n"
                    "A flag wins over the environment, the environment over the file.\n\n"
                    "TIME is a number with us, ms, s, m or h. SIZE is a number of bytes, also with\n"
                    "k, M or G.\n\n"
                    "Exit status: 0 drained, 1 something was left behind, 64 bad usage,\n"
                    "78 cannot run as configured.\n");
}

/* A bar would end a table's cell. */
static void cell_append(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_printf(out, *text == '|' ? "\\|" : "%c", *text);
}

void options_print_markdown(struct buf *out)
{
    buf_printf(out, "| option | environment | default | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = option_at(i);
        char env[OPTION_ENV_BYTES];
        option_env_name(option, env);
        bool flag = option->sources & SOURCE_FLAG, variable = option->sources & SOURCE_ENV;
        buf_printf(out, flag ? "| `--%s" : "| ", option->name);
        if (flag && *option->argument != '\0') {
            buf_printf(out, option->type == OPTION_HELP ? "=" : " ");
            cell_append(out, option->argument);
        }
        buf_printf(out, flag ? "` | " : "| ");
        buf_printf(out, variable ? "`%s` | " : "| ", env);
        buf_printf(out, has_default(option) ? "`%s` | " : "| ", option->fallback);
        cell_append(out, option->help);
        buf_printf(out, " |\n");
    }
}

void options_print_effective(const struct options *o, struct buf *out)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = option_at(i);
        const struct option_text *text = &o->texts[i];
        if (option->sources == SOURCE_FLAG)
            continue;
        /* Empty is worth a line only where it is not the default. */
        bool writable = option->sources & SOURCE_FILE && (*text->text != '\0' || *option->fallback != '\0');
        /* Behind a blank, '#' would begin a comment. */
        buf_printf(out, "%s%s =%s%s  # ", writable ? "" : "# ", option->name, *text->text == '#' ? "" : " ",
                   option_shown(o, i));
        option_origin(o, i, out);
        buf_printf(out, "\n");
    }
}
