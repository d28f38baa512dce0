#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* Each limited task has a group, and all of ours are in one folder below our own group. We hold a lock on that folder, so a folder that
   can be locked is of a forker that has died. */
#define PREFIX "spawn-tasks-"
#define LEAVE_WITHIN_US 500000

/* A group whose task has ended; it goes once its last process has. */
struct dying {
  struct dying *next;
  char name[48];
};

static enum cgroup_kind kind;
static int home = -1, tasks = -1;
static char tasks_name[64];
static uint64_t last_group;
static struct dying *dying;

static void kill_members(int folder, const char *group) {
  char file[320], list[16384];
  snprintf(file, sizeof file, "%s/cgroup.procs", group);
  cgroup_read(folder, file, list, sizeof list);
  for (char *at = list; *at != '\0';) {
    long pid = strtol(at, &at, 10);
    /* A list that is longer than we read ends in a part of a number: that would be another process. */
    if (*at++ != '\n') break;
    if (pid > 1 && pid != F.pid) kill((pid_t)pid, SIGKILL);
  }
}

static bool remove_group(int folder, const char *group) {
  if (unlinkat(folder, group, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  kill_members(folder, group);
  return unlinkat(folder, group, AT_REMOVEDIR) == 0;
}

static void remove_leftover(const char *name) {
  int folder = openat(home, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (folder < 0) return;
  DIR *groups = flock(folder, LOCK_EX | LOCK_NB) == 0 ? fdopendir(folder) : NULL;
  if (groups == NULL) {
    close(folder);
    return;
  }
  uint64_t until = now_us() + LEAVE_WITHIN_US;
  for (struct dirent *entry; (entry = readdir(groups)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    while (!remove_group(folder, entry->d_name) && now_us() < until) usleep(1000);
  }
  unlinkat(home, name, AT_REMOVEDIR);
  closedir(groups);
}

static void remove_leftovers(void) {
  int copy = openat(home, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  DIR *folders = copy < 0 ? NULL : fdopendir(copy);
  if (folders == NULL) return;
  for (struct dirent *entry; (entry = readdir(folders)) != NULL;) {
    if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0) remove_leftover(entry->d_name);
  }
  closedir(folders);
}

static const char *limit_file(void) {
  return kind == CGROUP_V1 ? "memory.limit_in_bytes" : "memory.max";
}

/* Makes the folder of all our groups. A forker that starts at the same moment may have removed it before it was locked. */
static bool make_tasks(void) {
  snprintf(tasks_name, sizeof tasks_name, PREFIX "%d-%llx", F.pid, (unsigned long long)now_us());
  if (mkdirat(home, tasks_name, 0755) != 0) return false;
  tasks = openat(home, tasks_name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  bool ours = tasks >= 0 && flock(tasks, LOCK_EX | LOCK_NB) == 0 && faccessat(home, tasks_name, F_OK, 0) == 0;
  if (ours && (kind == CGROUP_V1 || cgroup_write(tasks, "cgroup.subtree_control", "+memory"))) return true;
  cgroup_leave();
  return false;
}

/* Only the whole way tells: a folder may be writable and its limits not, or its events not say what was killed. */
bool cgroup_open(void) {
  home = cgroup_home(&kind);
  if (home < 0) return false;
  remove_leftovers();
  struct task probe = {.memory_bytes = 1 << 20};
  int join = cgroup_make(&probe);
  if (join >= 0) {
    close(join);
    cgroup_drop(&probe);
  }
  cgroup_leave();
  return join >= 0;
}

static void name_of(const struct task *task, char name[48]) {
  snprintf(name, 48, "%llu-%llu", (unsigned long long)task->by_fence.key, (unsigned long long)task->group);
}

/* How many processes the kernel has killed in it; -1 when it does not say. */
static long oom_kills(int group) {
  char text[1024];
  cgroup_read(group, kind == CGROUP_V1 ? "memory.oom_control" : "memory.events", text, sizeof text);
  const char *at = strstr(text, "oom_kill ");
  return at == NULL ? -1 : strtol(at + 9, NULL, 10);
}

static bool set_limits(int group, uint64_t bytes) {
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
  if (!cgroup_write(group, limit_file(), text)) return false;
  /* The rest is wanted and may be missing: without swap, and all die together. */
  if (kind == CGROUP_V2) {
    cgroup_write(group, "memory.swap.max", "0");
    cgroup_write(group, "memory.oom.group", "1");
  } else if (!cgroup_write(group, "memory.memsw.limit_in_bytes", text)) {
    cgroup_write(group, "memory.swappiness", "0");
  }
  return oom_kills(group) >= 0;
}

/* The descriptor by which a process joins; -1: it could not be made. */
int cgroup_make(struct task *task) {
  if (tasks < 0 && !make_tasks() && !make_tasks()) return -1;
  char name[48];
  task->group = ++last_group;
  name_of(task, name);
  int join = -1;
  if (mkdirat(tasks, name, 0755) == 0) {
    int group = openat(tasks, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    /* With v1 a thread joins alone by `tasks`, which spares the kernel the lock that stops every fork and exit of the machine. */
    if (group >= 0 && set_limits(group, task->memory_bytes)) join = openat(group, kind == CGROUP_V1 ? "tasks" : "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (group >= 0) close(group);
    if (join < 0) unlinkat(tasks, name, AT_REMOVEDIR);
  }
  if (join < 0) task->group = 0;
  return join;
}

bool cgroup_oom_killed(const struct task *task) {
  char name[48];
  name_of(task, name);
  int group = openat(tasks, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (group < 0) return false;
  long kills = oom_kills(group);
  close(group);
  return kills > 0;
}

/* With v1 the freezer is in a hierarchy of its own, in which we have no group. */
bool cgroup_freeze(const struct task *task, bool on) {
  if (kind != CGROUP_V2 || task->group == 0) return false;
  char file[80], name[48];
  name_of(task, name);
  snprintf(file, sizeof file, "%s/cgroup.freeze", name);
  return cgroup_write(tasks, file, on ? "1" : "0");
}

void cgroup_drop(struct task *task) {
  struct dying *last = must_alloc(sizeof *last);
  name_of(task, last->name);
  task->group = 0;
  if (remove_group(tasks, last->name)) {
    free(last);
    return;
  }
  last->next = dying;
  dying = last;
}

bool cgroup_tidy(void) {
  for (struct dying **link = &dying; *link != NULL;) {
    struct dying *group = *link;
    if (!remove_group(tasks, group->name)) {
      link = &group->next;
      continue;
    }
    *link = group->next;
    free(group);
  }
  return dying != NULL;
}

void cgroup_leave(void) {
  if (tasks < 0) return;
  for (uint64_t until = now_us() + LEAVE_WITHIN_US; cgroup_tidy() && now_us() < until;) usleep(1000);
  close(tasks);
  tasks = -1;
  unlinkat(home, tasks_name, AT_REMOVEDIR);
}
