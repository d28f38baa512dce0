#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../forker/forker.h"
#include "../forker/memory-limit.h"
#include "machine.h"

/* The forker's own code finds the group we may make groups in. */
struct forker F;

/* With nothing near the limit one look a second is enough; near it memory grows faster than that. */
#define CALM_MS 1000
#define NEAR_MS 100
/* In a group the kernel holds the limit: this is for the log alone, and comes at once when a child of ours was killed. */
#define GROUP_MS 10000
/* What was killed a moment ago still lives. */
#define MOST_CLOSES 500
#define CLOSE_AGAIN_US 2000

static int home = -1, group = -1, join_fd = -1;
static char name[160];
static long seen_kills;
static uint64_t next_look_us;

static bool set_limit(enum cgroup_kind kind, const struct conf *conf) {
  char text[64];
  snprintf(text, sizeof text, "%llu", (unsigned long long)conf->memory_bytes);
  if (!cgroup_write(group, kind == CGROUP_V1 ? "memory.limit_in_bytes" : "memory.max", text)) return false;
  if (kind == CGROUP_V1) {
    if (!cgroup_write(group, "memory.memsw.limit_in_bytes", text)) cgroup_write(group, "memory.swappiness", "0");
    return true;
  }
  cgroup_write(group, "memory.swap.max", "0");
  if (conf->cpus > 0 && cgroup_write(home, "cgroup.subtree_control", "+cpu")) {
    snprintf(text, sizeof text, "%llu 100000", (unsigned long long)conf->cpus * 100000);
    cgroup_write(group, "cpu.max", text);
  }
  return true;
}

/* Before it is made: who removes what a killed instance has left needs to know where it is. */
static bool note_group(int folder) {
  char link[40], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", home);
  ssize_t length = readlink(link, path, sizeof path - 1);
  int file = length <= 0 ? -1 : openat(folder, "run/cgroup", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool noted = dprintf(file, "%.*s/%s\n", (int)length, path, name) > 0;
  close(file);
  return noted;
}

/* How many processes the kernel has killed in the group. */
static long group_kills(void) {
  char text[1024];
  if (cgroup_read(group, "memory.oom_control", text, sizeof text) == 0) cgroup_read(group, "memory.events", text, sizeof text);
  const char *at = strstr(text, "oom_kill ");
  return at == NULL ? 0 : strtol(at + 9, NULL, 10);
}

void limits_open(const struct conf *conf, int folder) {
  unlinkat(folder, "run/cgroup", 0);
  if (conf->memory_bytes == 0) return;
  enum cgroup_kind kind;
  F.pid = getpid();
  home = cgroup_home(&kind);
  if (home < 0) return;
  snprintf(name, sizeof name, GROUP_PREFIX "%.128s", conf->id);
  if (!note_group(folder)) return;
  if (mkdirat(home, name, 0755) != 0 && errno != EEXIST) return;
  group = openat(home, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (group >= 0 && set_limit(kind, conf)) join_fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (join_fd < 0) limits_close();
  else seen_kills = group_kills();
}

void limits_close(void) {
  if (group >= 0) close(group);
  if (join_fd >= 0) close(join_fd);
  group = join_fd = -1;
  if (home < 0 || name[0] == '\0') return;
  /* A forker that was killed has left one of its own in it. What cannot be removed can still be found. */
  for (int i = 0; i < MOST_CLOSES; i++) {
    if (remove_groups(home, name)) {
      unlinkat(M.folder, "run/cgroup", 0);
      return;
    }
    usleep(CLOSE_AGAIN_US);
  }
}

bool limits_have_group(void) {
  return join_fd >= 0;
}

/* Neighbours begin at different processors, so that small ones do not share one. */
void limits_bind_cpus(const struct conf *conf) {
  cpu_set_t allowed, own;
  if (conf->cpus == 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  uint32_t there = (uint32_t)CPU_COUNT(&allowed), taken = 0;
  if (conf->cpus >= there) return;
  CPU_ZERO(&own);
  uint32_t from = conf->first_cpu % there;
  for (uint32_t round = 0; round < 2; round++) {
    uint32_t place = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && taken < conf->cpus; cpu++) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      bool later = place++ >= from;
      if (later != (round == 0)) continue;
      CPU_SET(cpu, &own);
      taken++;
    }
  }
  sched_setaffinity(0, sizeof own, &own);
}

void limits_join(void) {
  if (join_fd >= 0 && write(join_fd, "0", 1) != 1) _exit(126);
}

static void look_at_group(void) {
  long kills = group_kills();
  if (kills > seen_kills) agent_say_memory();
  if (kills > seen_kills) note("memory: the kernel killed %ld process(es): more than %llu bytes", kills - seen_kills, (unsigned long long)M.conf.memory_bytes);
  seen_kills = kills;
}

struct sum {
  uint64_t bytes, largest;
  pid_t largest_pid;
  bool exact;
};

static void add_memory(const struct process *process, void *to) {
  struct sum *sum = to;
  char path[64], text[4096];
  uint64_t bytes;
  snprintf(path, sizeof path, "/proc/%d/%s", process->pid, sum->exact ? "smaps_rollup" : "status");
  if (read_small(path, text, sizeof text) == 0) return;
  if (sum->exact) bytes = number_after(text, "\nPss_Anon:") + number_after(text, "\nPss_Shmem:");
  else bytes = number_after(text, "\nRssAnon:") + number_after(text, "\nRssShmem:");
  bytes *= 1024;
  sum->bytes += bytes;
  if (bytes < sum->largest) return;
  sum->largest = bytes;
  sum->largest_pid = process->pid;
}

/* Without a group: what they have together is looked at, and the largest one is killed until it fits. */
static bool look_at_processes(void) {
  struct sum sum = {0};
  each_process(add_memory, &sum);
  if (sum.bytes > M.conf.memory_bytes) {
    /* Pages that forked processes share were counted for each. */
    struct sum exact = {.exact = true};
    each_process(add_memory, &exact);
    if (exact.bytes > 0) sum = exact;
  }
  if (sum.bytes > M.conf.memory_bytes && sum.largest_pid > 1) {
    note("memory: killed process %d, %llu of %llu bytes: the instance has %llu", sum.largest_pid, (unsigned long long)sum.largest,
         (unsigned long long)sum.bytes, (unsigned long long)M.conf.memory_bytes);
    agent_say_memory();
    kill(sum.largest_pid, SIGKILL);
  }
  return sum.bytes > M.conf.memory_bytes / 4;
}

void limits_look_now(void) {
  if (join_fd >= 0) look_at_group();
}

int limits_look(void) {
  if (M.conf.memory_bytes == 0 || M.frozen) return -1;
  uint64_t now = steady_us();
  if (now >= next_look_us) {
    bool near = false;
    if (join_fd >= 0) look_at_group();
    else near = look_at_processes();
    next_look_us = now + (join_fd >= 0 ? GROUP_MS : near ? NEAR_MS : CALM_MS) * 1000u;
  }
  return (int)((next_look_us - now) / 1000) + 1;
}
