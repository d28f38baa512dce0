#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* The memory of a task is that of its main process and all below it, and of those whose parent died, which are our children. Pages
   of files are not counted: the system can take them back at any time. */
static struct members found;
static char text[16384];

static bool read_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = 0;
  for (ssize_t got; length + 1 < sizeof text && (got = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  text[length] = '\0';
  return length > 0;
}

static uint64_t field(const char *name) {
  const char *at = strstr(text, name);
  return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static uint64_t measure(struct member process) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", process.pid);
  if (!read_file(path)) return 0;
  uint64_t bytes = (field("\nRssAnon:") + field("\nRssShmem:")) * 1024;
  tree_add_children(&found, process, field("\nThreads:") == 1);
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
  if (task != NULL && task->limited && task->group == 0) tree_add(&found, pid, task);
}

void rss_sample(void) {
  found.count = 0;
  /* Orphans first: one that becomes an orphan meanwhile is missed once, and nobody is counted twice. */
  orphans_each(add_orphan);
  for (struct task *task = F.oldest; task != NULL; task = task->newer) {
    if (task->limited && task->group == 0 && task->state == TASK_LIVE) tree_add(&found, task->pid, task);
  }
  for (size_t i = 0; i < found.count; i++) {
    uint64_t bytes = measure(found.at[i]); /* finds more */
    found.at[i].task->used_bytes += bytes;
  }
  for (struct task *task = F.oldest; task != NULL; task = task->newer) {
    if (!task->limited || task->group != 0 || task->used_bytes <= task->memory_bytes) continue;
    task->used_bytes = 0;
    for (size_t i = 0; i < found.count; i++) {
      if (found.at[i].task == task) task->used_bytes += share_of(found.at[i].pid);
    }
  }
}
