#pragma once
/* The end of an HTTP/1.1 answer, as far as a load generator needs it. */

#include <sys/types.h>

/* Bytes of the first answer in `data`, 0: more is needed, -1: not an answer with a stated length (chunked is not). */
ssize_t answer_parse(const char *data, size_t bytes, int *status);
