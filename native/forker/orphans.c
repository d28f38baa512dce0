#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forker.h"

/* Processes of tasks whose parent died: as subreaper we become their parent. The kernel lists our children; who is no task is
   an orphan. It belongs to the attempt named by SPAWN_FENCE in its environment, or to the task whose session it is in, or to
   one of the tasks that lived when it was first seen; it is killed when none of those lives any more. */
struct orphan {
  struct node node; /* by pid */
  struct orphan *previous, *next;
  uint64_t fence; /* 0: unknown */
  uint64_t order; /* of the newest task when it was first seen */
};

/* With many live tasks the list of children is long, so it is read at most this often, and for a tenth of the time. */
#define LOOK_EVERY_US 10000
#define COST_SHARE 10
#define MAX_ENVIRON_BYTES (4u * 1024 * 1024)

static struct map by_pid;
static struct orphan *first;
static bool wanted, fresh;
static uint64_t looked_at_us, read_cost_us;
static int children_fd = -2; /* -1: this kernel does not list them */
static char *text;
static size_t text_room;

void orphans_look_soon(void) {
  wanted = true;
}

void orphans_changed(void) {
  fresh = false;
}

static void forget(struct orphan *orphan) {
  map_remove(&by_pid, &orphan->node);
  if (orphan->previous != NULL) orphan->previous->next = orphan->next;
  else first = orphan->next;
  if (orphan->next != NULL) orphan->next->previous = orphan->previous;
  free(orphan);
}

void orphans_ended(pid_t pid) {
  struct orphan *orphan = (struct orphan *)map_get(&by_pid, (uint64_t)pid);
  if (orphan != NULL) forget(orphan);
  wanted = true; /* its children are ours now */
}

/* Reads a file of /proc from its start into `text`, NUL-terminated; its length, 0 when it cannot be read. */
static size_t read_whole(int fd, size_t limit) {
  size_t length = 0;
  for (;;) {
    if (text_room < length + 4096) {
      text_room = text_room == 0 ? 16384 : text_room * 2;
      text = must_realloc(text, text_room);
    }
    ssize_t got = pread(fd, text + length, text_room - length - 1, (off_t)length);
    if (got <= 0) break;
    length += (size_t)got;
    if (length >= limit) break;
  }
  text[length] = '\0';
  return length;
}

static size_t read_proc(pid_t pid, const char *name, size_t limit) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t length = read_whole(fd, limit);
  close(fd);
  return length;
}

static uint64_t marked_fence(pid_t pid) {
  size_t length = read_proc(pid, "environ", MAX_ENVIRON_BYTES);
  for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
    if (strncmp(text + at, "SPAWN_FENCE=", 12) == 0) return strtoull(text + at + 12, NULL, 10);
  }
  return 0;
}

/* Fields of /proc/PID/stat after the command name, which may hold anything, parentheses included. */
static bool read_stat(pid_t pid, int *parent, int *session) {
  if (read_proc(pid, "stat", 4096) == 0) return false;
  const char *after = strrchr(text, ')');
  int group;
  return after != NULL && sscanf(after + 1, " %*c %d %d %d", parent, &group, session) == 3;
}

static uint64_t fence_of(pid_t pid) {
  uint64_t fence = marked_fence(pid);
  int parent, session;
  if (fence != 0 || !read_stat(pid, &parent, &session)) return fence;
  struct node *node = map_get(&F.by_pid, (uint64_t)session);
  return node == NULL ? 0 : ((struct task *)((char *)node - offsetof(struct task, by_pid)))->by_fence.key;
}

static void each_child_slowly(void (*visit)(pid_t)) {
  DIR *proc = opendir("/proc");
  if (proc == NULL) return;
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    int parent, session;
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid > 0 && read_stat(pid, &parent, &session) && parent == F.pid) visit(pid);
  }
  closedir(proc);
}

static void each_child(void (*visit)(pid_t)) {
  if (children_fd == -2) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", F.pid);
    children_fd = open(path, O_RDONLY | O_CLOEXEC);
  }
  if (children_fd < 0) {
    each_child_slowly(visit);
    return;
  }
  static char *list;
  static size_t list_room;
  size_t length = read_whole(children_fd, SIZE_MAX);
  if (list_room < length + 1) {
    list_room = (length + 1) * 2;
    list = must_realloc(list, list_room);
  }
  memcpy(list, text, length + 1); /* visiting reads other files into `text` */
  for (char *at = list; isdigit((unsigned char)*at);) {
    visit((pid_t)strtol(at, &at, 10));
    while (*at == ' ') at++;
  }
}

static void note(pid_t pid) {
  if (map_get(&F.by_pid, (uint64_t)pid) != NULL) return;
  struct orphan *orphan = (struct orphan *)map_get(&by_pid, (uint64_t)pid);
  if (orphan == NULL) {
    orphan = must_alloc(sizeof *orphan);
    orphan->order = F.order;
    orphan->next = first;
    if (first != NULL) first->previous = orphan;
    first = orphan;
    map_put(&by_pid, &orphan->node, (uint64_t)pid);
  }
  if (orphan->fence == 0) orphan->fence = fence_of(pid);
}

static bool belongs_to_live(const struct orphan *orphan) {
  if (orphan->fence == 0) return F.oldest != NULL && F.oldest->order <= orphan->order;
  const struct task *task = task_find(orphan->fence);
  return task != NULL && task->state != TASK_QUEUED;
}

/* The pid cannot be another process: it is our child until we reap it. */
static void kill_orphan(pid_t pid) {
  pid_t group = getpgid(pid);
  kill(pid, SIGKILL);
  /* A group that is no task's was made by the orphan or its like: it has no other members. */
  if (group > 1 && group != getpgrp() && map_get(&F.by_pid, (uint64_t)group) == NULL) kill(-group, SIGKILL);
}

/* Killing many tasks in one round reads the list once. */
static void refresh(void) {
  if (fresh) return;
  uint64_t began_us = now_us();
  each_child(note);
  read_cost_us = now_us() - began_us;
  fresh = true;
}

static void look(void) {
  wanted = false;
  looked_at_us = now_us();
  refresh();
  for (struct orphan *orphan = first; orphan != NULL; orphan = orphan->next) {
    if (!belongs_to_live(orphan)) kill_orphan((pid_t)orphan->node.key);
  }
}

int orphans_pause_ms(uint64_t looked_us) {
  if (F.live_count <= FEW_TASKS) return 0;
  uint64_t every = COST_SHARE * read_cost_us > LOOK_EVERY_US ? COST_SHARE * read_cost_us : LOOK_EVERY_US;
  uint64_t since = now_us() - looked_us;
  return since < every ? (int)((every - since) / 1000) + 1 : 0;
}

int orphans_look_if_due(void) {
  if (!wanted || (F.capabilities & CAN_SUBREAPER) == 0) return -1;
  int pause_ms = orphans_pause_ms(looked_at_us);
  if (pause_ms > 0) return pause_ms;
  look();
  return -1;
}

bool orphans_of(uint64_t fence) {
  refresh();
  for (const struct orphan *orphan = first; orphan != NULL; orphan = orphan->next) {
    if (orphan->fence == fence) return true;
  }
  return false;
}

void orphans_each(void (*visit)(pid_t, uint64_t)) {
  refresh();
  for (const struct orphan *orphan = first; orphan != NULL; orphan = orphan->next) visit((pid_t)orphan->node.key, orphan->fence);
}

/* Many programs take a second TERM as an order to give up at once, so no group gets it twice. */
static void term_groups(uint64_t fence, pid_t task_group) {
  for (const struct orphan *orphan = first; orphan != NULL; orphan = orphan->next) {
    if (orphan->fence != fence) continue;
    pid_t group = getpgid((pid_t)orphan->node.key);
    const struct orphan *before = first;
    while (before != orphan && !(before->fence == fence && getpgid((pid_t)before->node.key) == group)) before = before->next;
    if (before != orphan || group <= 1 || group == task_group || group == getpgrp()) continue;
    kill(-group, SIGTERM);
    kill(-group, SIGCONT);
  }
}

void orphans_signal(uint64_t fence, pid_t task_group, int signal) {
  refresh();
  if (signal == SIGTERM) {
    term_groups(fence, task_group);
    return;
  }
  for (const struct orphan *orphan = first; orphan != NULL; orphan = orphan->next) {
    if (orphan->fence == fence) kill_orphan((pid_t)orphan->node.key);
  }
}

static bool any_child;
static void kill_child(pid_t pid) {
  any_child = true;
  if (map_get(&F.by_pid, (uint64_t)pid) == NULL) kill_orphan(pid);
}

bool orphans_kill_all(void) {
  any_child = false;
  each_child(kill_child);
  return any_child;
}
