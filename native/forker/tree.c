#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "forker.h"

/* The kernel option that lists the children of a process is usual, not certain (proc(5), /proc/pid/task/tid/children). */
bool tree_can(void) {
  static int can = -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", F.pid);
  if (can < 0) can = access(path, R_OK) == 0;
  return can == 1;
}

void tree_add(struct members *all, pid_t pid, struct task *task) {
  if (all->count == all->room) {
    all->room = all->room == 0 ? 64 : all->room * 2;
    all->at = must_realloc(all->at, all->room * sizeof *all->at);
  }
  all->at[all->count++] = (struct member){.pid = pid, .task = task};
}

/* A list that is longer than we read, of some 2,000 children, loses its end; a number that is cut is not followed by a space. */
static void add_children(struct members *all, struct member parent, const char *thread) {
  char path[320], text[16384];
  snprintf(path, sizeof path, "/proc/%d/task/%s/children", parent.pid, thread);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  size_t length = 0;
  for (ssize_t got; length + 1 < sizeof text && (got = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  text[length] = '\0';
  for (char *at = text; isdigit((unsigned char)*at); at++) {
    pid_t child = (pid_t)strtol(at, &at, 10);
    if (*at != ' ') break;
    tree_add(all, child, parent.task);
  }
}

void tree_add_children(struct members *all, struct member parent, bool has_one_thread) {
  char path[64];
  if (has_one_thread) {
    snprintf(path, sizeof path, "%d", parent.pid);
    add_children(all, parent, path);
    return;
  }
  snprintf(path, sizeof path, "/proc/%d/task", parent.pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
    if (isdigit((unsigned char)entry->d_name[0])) add_children(all, parent, entry->d_name);
  }
  closedir(threads);
}
