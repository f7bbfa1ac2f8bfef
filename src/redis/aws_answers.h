#pragma once
/* What those who give AWS keys answer: JSON (the container's endpoint) or XML (STS). The bytes are not to be trusted.
 *
 * Thread: pure functions.
 * Failure modes: -EINVAL for all that has no keys that fit or no time that can be read. `out` may hold some then. */

#include "base/error.h"
#include "base/slice.h"
#include "redis/aws_keys.h"

int aws_answer_container(struct aws_keys *out, struct slice json, struct error *err);
int aws_answer_sts(struct aws_keys *out, struct slice xml, struct error *err);
/* Returns false when it is too long for its place. */
bool aws_copy_text(char *out, size_t bytes, const char *text, size_t text_bytes);
#define AWS_COPY(field, text, bytes) aws_copy_text((field), sizeof(field), (text), (bytes))
