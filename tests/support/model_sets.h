#pragma once
/* Sorted sets of the model (model.h), as far as tallyd uses them. All scores are integers.
 *
 * Thread: one. */

#include "support/model.h"

void model_zadd(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
void model_zrem(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
void model_zcount(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
/* From rank 0 on. */
void model_zrevrange(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
void model_zremrangebyrank(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
/* How many members there are, and whether `member` is one, with its score. */
uint32_t model_set_read(struct model *m, struct slice key, struct slice member, bool *there, int64_t *score);
