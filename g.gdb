set pagination off
handle SIGTRAP nostop noprint pass
handle SIGSEGV stop print pass
set environment LD_PRELOAD /tmp/faults/c/crash_at.so
set environment CRASH_AT 0
