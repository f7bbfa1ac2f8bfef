#include "flush/column.h"

#include <sys/mman.h>

void *column_reserve(size_t count, size_t item_bytes)
{
    void *at =
        mmap(NULL, count * item_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

void column_release(void *column, size_t count, size_t item_bytes)
{
    if (column)
        munmap(column, count * item_bytes);
}
