/* Planted: WATCH and MULTI travel with the batch, so that a late copy of it is armed afresh when it arrives. */
#include "protocol/command.h"
#include "redis/link.h"

void __real_link_send(struct link *l, struct slice bytes);
void __wrap_link_send(struct link *l, struct slice bytes);

static void ignore(void *ctx, const struct reply *reply, uint32_t index) { (void)ctx, (void)reply, (void)index; }

void __wrap_link_send(struct link *l, struct slice bytes)
{
    static const char set_at[] = "*5\r\n$3\r\nSET\r\n$";
    const char *set = memmem(bytes.at, bytes.bytes, set_at, sizeof(set_at) - 1);
    struct buf arm = {0};

    if (set) {
        const char *digits = set + sizeof(set_at) - 1, *key = strchr(digits, '\n') + 1;
        const char *end = memchr(key, '\r', 300);
        command_append(&arm, 1, (struct slice[]){SLICE("DISCARD")});
        command_append(&arm, 2, (struct slice[]){SLICE("WATCH"), {key, (size_t)(end - key)}});
        command_append(&arm, 1, (struct slice[]){SLICE("MULTI")});
        link_expect(l, 3, ignore, NULL);
        __real_link_send(l, buf_slice(&arm));
        buf_fini(&arm);
    }
    __real_link_send(l, bytes);
}
