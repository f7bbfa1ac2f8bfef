#pragma once
/* Environment variables that look like options and are none: mostly misspelt ones, which would else be silent.
 *
 * Thread: main. */

#define STRANGER_REMEDY_BYTES 96

/* The first variable from `at` on that begins with TALLYD_, is no option, and is not one of those that
 * Kubernetes makes for services (kubernetes.io, "Accessing the Service", environment variables); NULL: no more. */
const char *const *stranger_find(const char *const *at);
/* What to do about one ("TALLYD_WORKER=3"): "did you mean TALLYD_WORKERS?" where a name is near. */
void stranger_remedy(const char *variable, char out[STRANGER_REMEDY_BYTES]);
