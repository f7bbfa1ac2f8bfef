#pragma once
/* Environment variables that look like options and are none: mostly misspelt ones, which would else be silent.
 *
 * Thread: main. */

/* The first variable from `at` on that begins with TALLYD_, is no option, and is not one of those that
 * Kubernetes makes for services (kubernetes.io, "Accessing the Service", environment variables); NULL: no more. */
const char *const *stranger_find(const char *const *at);
