/* Texts of lists and imports, from any bytes: the first byte says whether they are a cursor or comma-separated values.
 * A cursor that is read is the same once it is written again; records leave nothing behind and point into the text. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forms/csv.h"
#include "forms/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void cursor_try(struct slice text)
{
    struct scan_place place, again;
    struct buf b = {0};
    if (!cursor_read(text, &place))
        return;
    cursor_append(&b, &place);
    assert(!b.failed && cursor_read(buf_slice(&b), &again));
    assert(memcmp(&place, &again, sizeof(place)) == 0);
    buf_fini(&b);
}

static void records_try(char *text, size_t bytes)
{
    struct csv_record record;
    for (size_t at = 0; at < bytes; at += record.bytes) {
        int read = csv_read(text + at, bytes - at, true, &record);
        assert((read == 1 || read == -EINVAL) && record.bytes > 0 && record.bytes <= bytes - at);
        for (uint32_t i = 0; read == 1 && i < record.count; i++)
            assert(record.fields[i].at >= text + at &&
                   record.fields[i].at + record.fields[i].bytes <= text + at + record.bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0)
        return 0;
    char *text = malloc(bytes);
    assert(text);
    memcpy(text, data + 1, bytes - 1);
    if (data[0] % 2 == 0)
        cursor_try((struct slice){text, bytes - 1});
    else
        records_try(text, bytes - 1);
    free(text);
    return 0;
}
