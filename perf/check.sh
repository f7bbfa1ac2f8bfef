#!/bin/sh
# What this machine, and this container, mean for tallyd's speed. Reads only; changes nothing; needs no privilege.
# Usage: perf/check.sh [PID-OF-TALLYD]      exit status 1 when a line says "!!"
set -u

bad=0
line() { printf '   %-34s %s\n' "$1" "$2"; }
warn() { printf '!! %-34s %s\n' "$1" "$2"; bad=1; }
value() { cat "$1" 2>/dev/null || echo '?'; }
# at_least NAME VALUE LIMIT WHY
at_least() {
    case $2 in
    '' | *[!0-9]*) line "$1" "$2" ;;
    *) if [ "$2" -ge "$3" ]; then line "$1" "$2"; else warn "$1" "$2, better $3: $4"; fi ;;
    esac
}

kernel() {
    echo "kernel"
    release=$(uname -r)
    case $release in
    [0-5].* | 6.0.*) warn release "$release: io_uring as tallyd uses it needs 6.1; --io auto takes epoll" ;;
    *) line release "$release" ;;
    esac
    disabled=$(value /proc/sys/kernel/io_uring_disabled)
    case $disabled in
    0 | '?') line kernel.io_uring_disabled "$disabled (? = before 6.6: cannot be disabled)" ;;
    *) warn kernel.io_uring_disabled "$disabled: no io_uring, or not without CAP_SYS_ADMIN" ;;
    esac
    line "mitigations that are active" "$(grep -l '^Mitigation' /sys/devices/system/cpu/vulnerabilities/* 2>/dev/null | wc -l)"
    line preemption "$(uname -v | grep -oE 'PREEMPT[A-Z_]*' || echo 'none or voluntary')"
    line clocksource "$(value /sys/devices/system/clocksource/clocksource0/current_clocksource)"
    at_least net.core.somaxconn "$(value /proc/sys/net/core/somaxconn)" 4096 "tallyd asks for a backlog of 4096"
    line net.ipv4.tcp_congestion_control "$(value /proc/sys/net/ipv4/tcp_congestion_control)"
    line net.core.busy_poll/busy_read "$(value /proc/sys/net/core/busy_poll)/$(value /proc/sys/net/core/busy_read)"
    line "accept queue overflows so far" "$(awk '/^TcpExt:/ { if (!n) { for (i = 1; i <= NF; i++) if ($i == "ListenOverflows") n = i } else print $n }' /proc/net/netstat 2>/dev/null)"
}

cpus() {
    echo "CPUs"
    line "online" "$(nproc --all), usable here $(nproc)"
    line "model" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
    line "siblings of CPU 0" "$(value /sys/devices/system/cpu/cpu0/topology/thread_siblings_list)"
    line "NUMA nodes" "$(find /sys/devices/system/node -maxdepth 1 -name 'node[0-9]*' 2>/dev/null | wc -l)"
    line "frequency governor" "$(value /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor)"
    line "load average" "$(cut -d' ' -f1-3 /proc/loadavg)"
    steal=$(awk '/^cpu / { t = 0; for (i = 2; i <= 9; i++) t += $i; printf "%.1f %%", 100 * $9 / t }' /proc/stat)
    line "stolen by the hypervisor since boot" "$steal"
}

cgroup() {
    echo "cgroup"
    dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null)
    [ -e "$dir/cpu.stat" ] || dir=/sys/fs/cgroup
    quota=$(value "$dir/cpu.max")
    line cpu.max "$quota"
    throttled=$(sed -n 's/^nr_throttled //p' "$dir/cpu.stat" 2>/dev/null)
    case ${throttled:-0} in
    0) line "times throttled" 0 ;;
    *) warn "times throttled" "$throttled: the CPU limit stops all workers at once; a request without a limit does not" ;;
    esac
    line cpuset.cpus.effective "$(value "$dir/cpuset.cpus.effective")"
    line memory.max "$(value "$dir/memory.max")"
}

limits() {
    echo "limits of process $1"
    at_least "open files" "$(awk '/^Max open files/ { print $4 }' "/proc/$1/limits" 2>/dev/null)" 16384 "--max-conns and 64"
    line "locked memory" "$(awk '/^Max locked memory/ { print $4 }' "/proc/$1/limits" 2>/dev/null) bytes (since Linux 6.14 the rings of all processes of a user count)"
    case $(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$1/status") in
    0) line seccomp "none" ;;
    2) line seccomp "a filter: does it allow io_uring_setup, _enter, _register? tallyd_io_engine_info says it" ;;
    *) line seccomp "?" ;;
    esac
    line capabilities "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$1/status")"
    line "memory that backs /dev/shm" "$(df -h --output=avail /dev/shm 2>/dev/null | tail -n 1)"
}

card() {
    echo "card $1"
    driver=$(basename "$(readlink "/sys/class/net/$1/device/driver" 2>/dev/null)" 2>/dev/null)
    line driver "${driver:-none (virtual)}"
    queues=$(find "/sys/class/net/$1/queues" -maxdepth 1 -name 'rx-*' 2>/dev/null | wc -l)
    line "receive queues" "$queues for $(nproc --all) CPUs"
    line "receive packet steering" "$(cat "/sys/class/net/$1"/queues/rx-*/rps_cpus 2>/dev/null | tr '\n' ' ')"
    line "gro_flush_timeout" "$(value "/sys/class/net/$1/gro_flush_timeout") ns"
    line "interrupts deferred" "$(value "/sys/class/net/$1/napi_defer_hard_irqs")"
    command -v ethtool >/dev/null 2>&1 || { line ethtool "is not installed: no channels, rings, coalescing"; return; }
    ethtool -l "$1" 2>/dev/null | awk '/Combined/ { v[++n] = $2 } END { if (n) printf "   %-34s %s of %s\n", "channels in use", v[2], v[1] }'
    ethtool -c "$1" 2>/dev/null | awk '/^Adaptive|^rx-usecs:|^tx-usecs:/ { printf "   %-34s %s\n", "coalescing", $0 }'
    exceeded=$(ethtool -S "$1" 2>/dev/null | awk '/_allowance_exceeded:/ && $2 > 0 { printf "%s%s ", $1, $2 }')
    [ -z "$exceeded" ] || warn "allowances of the instance" "${exceeded}packets that it delayed or dropped: it is too small"
}

pid=${1:-self}
[ -e "/proc/$pid/status" ] || { echo "check: there is no process $pid" >&2; exit 64; }
kernel
cpus
cgroup "$pid"
limits "$pid"
for path in /sys/class/net/*; do
    # Cards, and the veth of a pod; not lo, bridges, tunnels.
    if [ -e "$path/device" ] || [ "${path##*/}" = eth0 ]; then card "${path##*/}"; fi
done
exit "$bad"
