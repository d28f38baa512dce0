#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* The memory of a task is that of its main process and all below it, and of those whose parent died, which are our children. Pages
   of files are not counted: the system can take them back at any time. */
struct process {
  pid_t pid;
  struct task *task;
};

static struct process *found;
static size_t found_count, found_room;
static char text[16384];

static void add(pid_t pid, struct task *task) {
  if (found_count == found_room) {
    found_room = found_room == 0 ? 64 : found_room * 2;
    found = must_realloc(found, found_room * sizeof *found);
  }
  found[found_count++] = (struct process){.pid = pid, .task = task};
}

static bool read_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = 0;
  for (ssize_t got; length + 1 < sizeof text && (got = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  text[length] = '\0';
  return length > 0;
}

/* The kernel option that lists the children of a process is usual, not certain (proc(5), /proc/pid/task/tid/children). */
bool rss_can(void) {
  static int can = -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", F.pid);
  if (can < 0) can = access(path, R_OK) == 0;
  return can == 1;
}

/* A list that is longer than we read, of some 2,000 children, loses its end; a number that is cut is not followed by a space. */
static void add_children(pid_t pid, const char *thread, struct task *task) {
  char path[320];
  snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, thread);
  if (!read_file(path)) return;
  for (char *at = text; isdigit((unsigned char)*at); at++) {
    pid_t child = (pid_t)strtol(at, &at, 10);
    if (*at != ' ') break;
    add(child, task);
  }
}

static void add_children_of_all(pid_t pid, struct task *task) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
    if (isdigit((unsigned char)entry->d_name[0])) add_children(pid, entry->d_name, task);
  }
  closedir(threads);
}

static uint64_t field(const char *name) {
  const char *at = strstr(text, name);
  return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static uint64_t measure(struct process process) {
  char path[64], own[16];
  snprintf(path, sizeof path, "/proc/%d/status", process.pid);
  if (!read_file(path)) return 0;
  uint64_t bytes = (field("\nRssAnon:") + field("\nRssShmem:")) * 1024;
  bool alone = field("\nThreads:") == 1;
  snprintf(own, sizeof own, "%d", process.pid);
  if (alone) add_children(process.pid, own, process.task);
  else add_children_of_all(process.pid, process.task);
  return bytes;
}

/* Each page divided by those that share it: dearer, so asked only before a kill. Processes that were forked share what they have not
   changed, and all of it would be counted for each. */
static uint64_t share_of(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  if (read_file(path) && strstr(text, "\nPss_Anon:") != NULL) return (field("\nPss_Anon:") + field("\nPss_Shmem:")) * 1024;
  /* Not told, or it has ended since: then it has nothing any more. */
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  return read_file(path) ? (field("\nRssAnon:") + field("\nRssShmem:")) * 1024 : 0;
}

static void add_orphan(pid_t pid, uint64_t fence) {
  struct task *task = fence == 0 ? NULL : task_find(fence);
  if (task != NULL && task->limited && task->group == 0) add(pid, task);
}

void rss_sample(void) {
  found_count = 0;
  /* Orphans first: one that becomes an orphan meanwhile is missed once, and nobody is counted twice. */
  orphans_each(add_orphan);
  for (struct task *task = F.oldest; task != NULL; task = task->newer) {
    if (task->limited && task->group == 0 && task->state == TASK_LIVE) add(task->pid, task);
  }
  for (size_t i = 0; i < found_count; i++) {
    uint64_t bytes = measure(found[i]); /* finds more */
    found[i].task->used_bytes += bytes;
  }
  for (struct task *task = F.oldest; task != NULL; task = task->newer) {
    if (!task->limited || task->group != 0 || task->used_bytes <= task->memory_bytes) continue;
    task->used_bytes = 0;
    for (size_t i = 0; i < found_count; i++) {
      if (found[i].task == task) task->used_bytes += share_of(found[i].pid);
    }
  }
}
