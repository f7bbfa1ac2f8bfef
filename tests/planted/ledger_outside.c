/* Planted: the ledger is written behind the EXEC, in the same write but outside the transaction. */
#include "owed/batch.h"

#include <errno.h>

#include "protocol/command.h"

int __real_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);
int __wrap_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);

int __wrap_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key)
{
    static const char set_at[] = "*5\r\n$3\r\nSET\r\n", exec[] = "*1\r\n$4\r\nEXEC\r\n";
    struct buf moved = {0};

    int failed = __real_batch_compose(b, keys, prefix, ledger_key);
    if (failed)
        return failed;
    const char *set = memmem(b->bytes.data, b->bytes.bytes, set_at, sizeof(set_at) - 1);
    size_t before = (size_t)(set - b->bytes.data), set_bytes = b->bytes.bytes - before - (sizeof(exec) - 1);
    /* The count of answers stays: SELECT says OK in SET's place, and SET says nothing. */
    buf_append(&moved, b->bytes.data, before);
    command_append(&moved, 2, (struct slice[]){SLICE("SELECT"), SLICE("0")});
    command_append(&moved, 1, (struct slice[]){SLICE("EXEC")});
    command_append(&moved, 3, (struct slice[]){SLICE("CLIENT"), SLICE("REPLY"), SLICE("SKIP")});
    buf_append(&moved, set, set_bytes);
    buf_fini(&b->bytes);
    b->bytes = moved;
    return b->bytes.failed ? -ENOMEM : 0;
}
