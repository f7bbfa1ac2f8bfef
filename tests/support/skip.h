#pragma once
/* Skips the test that calls it, and says why: tests/run-c shows the line, and tests/skips may foresee it in CI. */

#include <stdio.h>

#define skip_because(...)                                                                                              \
    do {                                                                                                               \
        printf("skip: " __VA_ARGS__);                                                                                  \
        printf("\n");                                                                                                  \
        skip();                                                                                                        \
    } while (0)
