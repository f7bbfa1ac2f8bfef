#pragma once
/* Whether a file may be believed. Whoever else could write to it, or put another in its place, could give himself
 * rights or have the store's password sent to him.
 *
 * Thread: main, and the flusher for its password.
 * A file that everybody may write to is refused, as is one in a folder that everybody may write to without the sticky
 * bit. Kubernetes' volumes pass, which have files of root with 0644 or 0440 in folders of 01777 or 0755 behind symbolic
 * links, and mounted folders of root with 0777 (emptyDir). A secret that everybody may read is a warning and no
 * refusal, because that is what Kubernetes mounts by default. */

#include <stdbool.h>
#include <sys/stat.h>

#include "config/options.h"

/* Judges one file. `st` is the file's, by fstat(2) of what was opened. Returns 0, or -EPERM with a sentence. */
int file_guard(const char *path, const struct stat *st, struct error *err);
/* Judges every file that an option names and that is there. Returns 0, or -EPERM with a sentence that names the
 * option. */
int file_guard_options(const struct options *o, struct error *err);
/* Tells whether it is a secret's file that everybody may read. */
bool file_guard_leaks(const struct options *o, enum option_index index);
