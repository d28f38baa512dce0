#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* The group that the worker and the forker move into with cgroup v2, where a group has either processes or limited children. */
#define AGENT "spawn-agent"

bool cgroup_write(int folder, const char *file, const char *text) {
  int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = strlen(text);
  bool done = write(fd, text, length) == (ssize_t)length;
  close(fd);
  return done;
}

size_t cgroup_read(int folder, const char *file, char *text, size_t room) {
  size_t length = 0;
  int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    for (ssize_t got; length + 1 < room && (got = read(fd, text + length, room - 1 - length)) > 0;) length += (size_t)got;
    close(fd);
  }
  text[length] = '\0';
  return length;
}

static bool has_word(const char *list, const char *word, const char *between) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)) != NULL; at += length) {
    bool first = at == list || strchr(between, at[-1]) != NULL;
    if (first && (at[length] == '\0' || strchr(between, at[length]) != NULL)) return true;
  }
  return false;
}

/* A line of /proc/self/cgroup is id:controllers:path; without controllers for v2 (cgroups(7)). */
static bool find_own(enum cgroup_kind kind, char path[PATH_MAX]) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (file == NULL) return false;
  char line[PATH_MAX + 256];
  bool found = false;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *own = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (own == NULL) continue;
    *own++ = '\0';
    controllers++;
    found = kind == CGROUP_V2 ? *controllers == '\0' : has_word(controllers, "memory", ",");
    /* One outside of what we may see ("/../…") cannot be reached. */
    if (found) found = strlen(own) < PATH_MAX && strstr(own, "/..") == NULL;
    if (found) strcpy(path, own);
  }
  fclose(file);
  return found;
}

/* A line of /proc/self/mountinfo: id parent device root point options… - type source options (proc(5)). */
static int open_own(enum cgroup_kind kind, const char *own) {
  FILE *file = fopen("/proc/self/mountinfo", "re");
  if (file == NULL) return -1;
  char line[PATH_MAX * 3], root[PATH_MAX], point[PATH_MAX], type[32], options[1024];
  int fd = -1;
  while (fd < 0 && fgets(line, sizeof line, file) != NULL) {
    const char *after = strstr(line, " - ");
    if (after == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2) continue;
    if (sscanf(after + 3, "%31s %*s %1023s", type, options) != 2) continue;
    if (kind == CGROUP_V2 ? strcmp(type, "cgroup2") != 0 : strcmp(type, "cgroup") != 0 || !has_word(options, "memory", ",")) continue;
    size_t root_length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(own, root, root_length) != 0) continue;
    char path[PATH_MAX * 2];
    snprintf(path, sizeof path, "%s/%s", point, own + root_length);
    fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  }
  fclose(file);
  return fd;
}

/* Nobody else is moved: a group that others are in too is not ours to change. */
static bool holds_only_us(int folder) {
  char list[4096];
  cgroup_read(folder, "cgroup.procs", list, sizeof list);
  for (char *at = list; *at != '\0';) {
    long pid = strtol(at, &at, 10);
    if (pid != F.pid && pid != getppid()) return false;
    if (*at == '\n') at++;
  }
  return true;
}

static bool move_to_agent(int folder) {
  if (!holds_only_us(folder) || (mkdirat(folder, AGENT, 0755) != 0 && errno != EEXIST)) return false;
  char pid[32];
  snprintf(pid, sizeof pid, "%d", getppid());
  if (!cgroup_write(folder, AGENT "/cgroup.procs", pid)) return false;
  return cgroup_write(folder, AGENT "/cgroup.procs", "0");
}

static bool shares_memory(int folder) {
  char text[512];
  cgroup_read(folder, "cgroup.controllers", text, sizeof text);
  if (!has_word(text, "memory", " \n")) return false;
  cgroup_read(folder, "cgroup.subtree_control", text, sizeof text);
  if (has_word(text, "memory", " \n") || cgroup_write(folder, "cgroup.subtree_control", "+memory")) return true;
  return errno == EBUSY && move_to_agent(folder) && cgroup_write(folder, "cgroup.subtree_control", "+memory");
}

int cgroup_home(enum cgroup_kind *kind) {
  char own[PATH_MAX];
  *kind = CGROUP_V1;
  if (find_own(CGROUP_V1, own)) return open_own(CGROUP_V1, own);
  *kind = CGROUP_V2;
  if (!find_own(CGROUP_V2, own)) return -1;
  /* A forker before us has moved the worker. */
  char *last = strrchr(own, '/');
  if (last != NULL && strcmp(last + 1, AGENT) == 0) *last = '\0';
  int fd = open_own(CGROUP_V2, own);
  if (fd >= 0 && !shares_memory(fd)) {
    close(fd);
    fd = -1;
  }
  return fd;
}
