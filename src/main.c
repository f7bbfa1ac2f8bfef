/* tallyd: what to do, by the options; app/ does it. */

#include <stdio.h>
#include <string.h>

#include "admin/metrics.h"
#include "app/app.h"
#include "app/csv_import.h"
#include "app/healthcheck.h"
#include "app/preflight.h"
#include "app/repartition.h"
#include "config/options_print.h"
#include "config/unknown_env.h"
#include "version.h"

extern char **environ;

static int print(struct buf *text)
{
    bool written = !text->failed && fwrite(text->data, 1, text->bytes, stdout) == text->bytes && fflush(stdout) == 0;
    buf_fini(text);
    return written ? 0 : 1;
}

static int print_help(const char *form)
{
    struct buf text = {0};
    if (strcmp(form, "metrics") == 0)
        metrics_print_markdown(&text);
    else if (strcmp(form, "markdown") == 0)
        options_print_markdown(&text);
    else
        options_print_help(&text);
    return print(&text);
}

/* Only the name: the value may be a secret that went astray. */
static void unknown_env_print(const char *variable)
{
    char remedy[UNKNOWN_ENV_REMEDY_BYTES];
    unknown_env_remedy(variable, remedy);
    fprintf(stderr, "tallyd: %.*s is no option and is ignored; %s\n", (int)strcspn(variable, "="), variable, remedy);
}

static int check(const struct options *o)
{
    struct error err;
    for (const char *const *at = (const char *const *)environ; (at = unknown_env_find(at)); at++)
        unknown_env_print(*at);
    if (preflight(o, &err) != 0) {
        fprintf(stderr, "tallyd: %s\n", err.text);
        return APP_BAD_USAGE;
    }
    struct buf text = {0};
    options_print_effective(o, &text);
    return print(&text);
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err;
    int code;
    if (options_load(&options, argc, (const char *const *)argv, (const char *const *)environ, &err) != 0) {
        fprintf(stderr, "tallyd: %s\n", err.text);
        return APP_BAD_USAGE;
    }
    if (*options.help)
        code = print_help(options.help);
    else if (options.version)
        code = printf("tallyd %s\n", TALLYD_VERSION) < 0;
    else if (options.healthcheck)
        code = healthcheck(&options.admin.socket);
    else if (options.check)
        code = check(&options);
    else if (*options.import)
        code = csv_import_run(&options);
    else if (options.repartition)
        code = repartition_run(&options);
    else
        code = app_run(&options);
    options_fini(&options);
    return code;
}
