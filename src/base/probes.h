#pragma once
/* Static probes (USDT) for bpftrace, perf and gdb: PROBE(name, words…) is one nop while nobody listens.
 *
 * Thread: any. Without <sys/sdt.h> (Debian: systemtap-sdt-dev) they are nothing and their words are not evaluated, so
 * these have no side effects. perf/README.md lists the probes; source: sys/sdt.h, and in the SystemTap wiki
 * "UserSpaceProbeImplementation". */

#if __has_include(<sys/sdt.h>)
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define PROBE(...) STAP_PROBEV(tallyd, __VA_ARGS__)
#else
#define PROBE(...) ((void)0)
#endif
