#pragma once
/* Environment variables that look like options and are none. Most are misspelt, and would else be ignored in silence.
 *
 * Thread: main. */

#define UNKNOWN_ENV_REMEDY_BYTES 96

/* Returns the first variable from `at` on that begins with TALLYD_, is no option, and is none of those that Kubernetes
 * makes for services (kubernetes.io, "Accessing the Service", environment variables). NULL when there is none. */
const char *const *unknown_env_find(const char *const *at);
/* Says what to do about one such as "TALLYD_WORKER=3", "did you mean TALLYD_WORKERS?" where a name is near. */
void unknown_env_remedy(const char *variable, char out[UNKNOWN_ENV_REMEDY_BYTES]);
