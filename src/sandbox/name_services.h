#pragma once
/* The C library loads what resolves host names when the first is asked for (nsswitch.conf(5)), and then the sandbox
 * lets no memory become code. So it is loaded before.
 *
 * Thread: main, before any other. */

/* Loads the services of the line "hosts:" in the file `path`. What is built into the C library (files, dns) or is not
 * installed is passed over. Returns how many were loaded. They stay for the life of the process. */
int name_services_load(const char *path);
