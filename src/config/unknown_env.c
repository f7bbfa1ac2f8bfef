#include "config/unknown_env.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/suggest.h"

#define PREFIX "TALLYD_"
#define NAME_BYTES_MAX 128

static bool is_option(const char *name)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        char own[OPTION_ENV_BYTES];
        option_env_name(option_at(i), own);
        if ((option_at(i)->sources & SOURCE_ENV) && strcmp(own, name) == 0)
            return true;
    }
    return false;
}

/* TALLYD_PORT=tcp://…, TALLYD_PORT_80_TCP_ADDR, TALLYD_ADMIN_SERVICE_HOST and the like; no option of ours has a port.
 */
static bool is_service_link(const char *name)
{
    const char *port = strstr(name, "_PORT");
    return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
           (port && (port[5] == '\0' || (port[5] == '_' && isdigit((unsigned char)port[6]))));
}

const char *const *unknown_env_find(const char *const *at)
{
    for (; *at; at++) {
        char name[NAME_BYTES_MAX] = {0};
        size_t bytes = strcspn(*at, "=");
        memcpy(name, *at, bytes < sizeof(name) ? bytes : sizeof(name) - 1);
        if (strncmp(name, PREFIX, strlen(PREFIX)) == 0 && !is_option(name) && !is_service_link(name))
            return at;
    }
    return NULL;
}

void unknown_env_remedy(const char *variable, char out[UNKNOWN_ENV_REMEDY_BYTES])
{
    char name[NAME_BYTES_MAX] = {0}, nearest[OPTION_ENV_BYTES];
    size_t bytes = strcspn(variable, "="), best;
    memcpy(name, variable, bytes < sizeof(name) ? bytes : sizeof(name) - 1);
    best = strlen(name + strlen(PREFIX)) / 3 + 2;
    snprintf(out, UNKNOWN_ENV_REMEDY_BYTES, "see tallyd --help");
    for (unsigned i = 0; i < OPTIONS; i++) {
        option_env_name(option_at(i), nearest);
        size_t distance = suggest_distance(name + strlen(PREFIX), nearest + strlen(PREFIX));
        if (!(option_at(i)->sources & SOURCE_ENV) || distance >= best)
            continue;
        best = distance;
        snprintf(out, UNKNOWN_ENV_REMEDY_BYTES, "did you mean %s?", nearest);
    }
}
