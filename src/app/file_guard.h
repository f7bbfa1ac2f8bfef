#pragma once
/* Whether a file may be believed: whoever else could write to it, or put another in its place, could give himself
 * rights or take the store's password for a walk.
 *
 * Refused: what everybody may write to, and what lies in a folder that everybody may write to without the sticky bit.
 * Kubernetes' volumes pass: files of root with 0644 or 0440, in folders of 01777 or 0755, behind symbolic links, and
 * mounted folders of root with 0777 (emptyDir).
 * A secret that everybody may read is a warning, not a refusal, because that is what Kubernetes mounts by default.
 *
 * Thread: main, and the flusher for its password. */

#include <stdbool.h>
#include <sys/stat.h>

#include "app/options.h"

/* `st` is the file's, by fstat(2) of what was opened. 0, or -EPERM with a sentence. */
int file_guard(const char *path, const struct stat *st, struct error *err);
/* Every file that an option names and that is there. 0, or -EPERM with a sentence that names the option. */
int file_guard_options(const struct options *o, struct error *err);
/* Is it a secret's file that everybody may read? */
bool file_guard_leaks(const struct options *o, enum option_index index);
