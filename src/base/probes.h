#pragma once
/* Static probes (USDT) for bpftrace, perf and gdb. PROBE(name, words…) is one nop while nobody listens.
 *
 * Thread: any.
 * Without <sys/sdt.h> (in Debian's systemtap-sdt-dev) a probe is nothing. Its words are not evaluated then, so they
 * must have no side effects. perf/README.md lists the probes.
 * Source: sys/sdt.h, and "UserSpaceProbeImplementation" in the SystemTap wiki. */

#if __has_include(<sys/sdt.h>)
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define PROBE(...) STAP_PROBEV(tallyd, __VA_ARGS__)
#else
#define PROBE(...) ((void)0)
#endif
