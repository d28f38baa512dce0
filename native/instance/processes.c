#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine.h"

size_t read_small(const char *path, char *text, size_t room) {
  size_t length = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    for (ssize_t got; length + 1 < room && (got = read(fd, text + length, room - 1 - length)) > 0;) length += (size_t)got;
    close(fd);
  }
  text[length] = '\0';
  return length;
}

uint64_t number_after(const char *text, const char *name) {
  const char *at = strstr(text, name);
  return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

/* Fields of /proc/PID/stat (proc(5)) after the command name, which may hold anything, parentheses included. */
bool read_process(pid_t pid, struct process *process) {
  char path[40], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_small(path, text, sizeof text) == 0) return false;
  const char *after = strrchr(text, ')');
  unsigned long long user, system, started;
  long long child_user, child_system;
  if (after == NULL || sscanf(after + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %*d %*d %llu", &process->state,
                              &process->parent, &process->group, &process->session, &user, &system, &child_user, &child_system, &started) != 9) {
    return false;
  }
  process->pid = pid;
  process->user_ticks = user;
  process->system_ticks = system;
  process->child_user_ticks = (uint64_t)child_user;
  process->child_system_ticks = (uint64_t)child_system;
  process->started = started;
  return true;
}

/* Processes that were found and not yet visited. */
struct found {
  pid_t *pids;
  size_t count, room;
};

static void add_found(struct found *found, pid_t pid) {
  if (found->count == found->room) {
    size_t room = found->room == 0 ? 64 : found->room * 2;
    pid_t *larger = realloc(found->pids, room * sizeof *larger);
    if (larger == NULL) return;
    found->pids = larger;
    found->room = room;
  }
  found->pids[found->count++] = pid;
}

/* proc(5): each thread has children of its own. */
static void add_children(struct found *found, pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (!isdigit((unsigned char)thread->d_name[0])) continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, thread->d_name);
    FILE *list = fopen(path, "re");
    if (list == NULL) continue;
    for (int child; fscanf(list, "%d", &child) == 1;) add_found(found, child);
    fclose(list);
  }
  closedir(threads);
}

/* Without a process namespace: us and all that comes from us. Whatever is orphaned becomes our child. */
static void each_descendant(void (*visit)(const struct process *process, void *to), void *to) {
  struct found found = {0};
  add_found(&found, getpid());
  for (size_t at = 0; at < found.count; at++) {
    add_children(&found, found.pids[at]);
    struct process process;
    if (read_process(found.pids[at], &process)) visit(&process, to);
  }
  free(found.pids);
}

bool is_member(pid_t pid) {
  struct process process;
  const pid_t own = getpid();
  for (int depth = 0; pid > 1 && depth < 1000; depth++, pid = process.parent) {
    if (pid == own) return true;
    if (!read_process(pid, &process)) return false;
  }
  return false;
}

/* With a process namespace /proc shows only what runs in the instance. */
static void each_at_all(void (*visit)(const struct process *process, void *to), void *to) {
  if (M.conf.plain) {
    each_descendant(visit, to);
    return;
  }
  DIR *proc = opendir("/proc");
  if (proc == NULL) return;
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    struct process process;
    if (read_process((pid_t)strtol(entry->d_name, NULL, 10), &process)) visit(&process, to);
  }
  closedir(proc);
}

struct visit {
  void (*visit)(const struct process *process, void *to);
  void *to;
};

static void visit_live(const struct process *process, void *to) {
  const struct visit *visit = to;
  if (process->pid == getpid() || process->pid == M.forker || process->state == 'Z' || process->state == 'X') return;
  visit->visit(process, visit->to);
}

void each_process(void (*visit)(const struct process *process, void *to), void *to) {
  each_at_all(visit_live, &(struct visit){.visit = visit, .to = to});
}

struct signalled {
  int signal;
  size_t count;
};

static void send_to(const struct process *process, void *to) {
  struct signalled *signalled = to;
  if (kill(process->pid, signalled->signal) == 0) signalled->count++;
}

size_t signal_all(int signal) {
  struct signalled signalled = {.signal = signal};
  each_process(send_to, &signalled);
  return signalled.count;
}

size_t count_processes(void) {
  return signal_all(0);
}

/* The kernel adds what an ended process used to the one that waited for it: CPU in the child fields, disk in its own figures. So the live
   ones together, with our own children, are all there ever was. Our own work and the forker's is not the user's. */
static void add_activity(const struct process *process, void *to) {
  struct activity *sum = to;
  const uint64_t tick_us = 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
  uint64_t ticks = process->child_user_ticks + process->child_system_ticks;
  bool of_user = process->pid != getpid() && process->pid != M.forker;
  if (of_user) ticks += process->user_ticks + process->system_ticks;
  sum->cpu_us += ticks * tick_us;
  char path[40], text[4096];
  snprintf(path, sizeof path, "/proc/%d/io", process->pid);
  read_small(path, text, sizeof text);
  sum->disk_bytes += number_after(text, "\nread_bytes: ") + number_after(text, "\nwrite_bytes: ");
  if (!of_user || process->state == 'Z') return;
  snprintf(path, sizeof path, "/proc/%d/status", process->pid);
  read_small(path, text, sizeof text);
  sum->memory_bytes += (number_after(text, "\nRssAnon:") + number_after(text, "\nRssShmem:")) * 1024;
  sum->processes++;
}

void measure_activity(struct activity *activity) {
  /* A process that ends between two reads is missed once; the counters only grow. */
  static uint64_t cpu_us, disk_bytes;
  *activity = (struct activity){0};
  each_at_all(add_activity, activity);
  if (activity->cpu_us < cpu_us) activity->cpu_us = cpu_us;
  if (activity->disk_bytes < disk_bytes) activity->disk_bytes = disk_bytes;
  cpu_us = activity->cpu_us;
  disk_bytes = activity->disk_bytes;
}
