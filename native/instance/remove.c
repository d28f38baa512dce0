#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instance.h"
#include "machine.h"

/* Removes what is in a directory: those of instances that are gone. Several of it at the same time do no harm. */
#define NICE 10
/* What something still writes to, or lives in, is tried again: an instance that ends only now. */
#define MOST_TRIES 40
#define TRY_AGAIN_US 250000

static bool is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* overlayfs makes directories that may not be read, and so can users. */
static DIR *open_directory(int at, const char *name) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  int fd = openat(at, name, flags);
  if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, 0) == 0) fd = openat(at, name, flags);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (fd >= 0 && directory == NULL) close(fd);
  return directory;
}

static bool remove_tree(int at, const char *name);

static bool remove_entries(DIR *directory) {
  bool all = true;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (!is_dots(entry->d_name) && !remove_tree(dirfd(directory), entry->d_name)) all = false;
  }
  return all;
}

static bool remove_tree(int at, const char *name) {
  if (unlinkat(at, name, 0) == 0 || errno == ENOENT) return true;
  if (errno == EACCES && fchmod(at, 0700) == 0 && unlinkat(at, name, 0) == 0) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  DIR *directory = open_directory(at, name);
  if (directory == NULL) return errno == ENOENT;
  fchmod(dirfd(directory), 0700);
  remove_entries(directory);
  closedir(directory);
  return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Nothing else can be removed in such a file system. */
bool remove_groups(int at, const char *name) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (directory == NULL) return errno == ENOENT;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_type == DT_DIR && !is_dots(entry->d_name)) remove_groups(fd, entry->d_name);
  }
  closedir(directory);
  return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* The group that a killed instance has left. */
static bool remove_group_of(int at, const char *name) {
  char path[PATH_MAX], file[NAME_MAX + 32];
  snprintf(file, sizeof file, "%.255s/run/cgroup", name);
  int fd = openat(at, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return true;
  ssize_t length = read(fd, path, sizeof path - 1);
  close(fd);
  if (length <= 0) return true;
  path[length] = '\0';
  path[strcspn(path, "\n")] = '\0';
  const char *last = strrchr(path, '/');
  if (last == NULL || strncmp(last + 1, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0) return true;
  return remove_groups(AT_FDCWD, path);
}

/* How many were removed, and how many are left. */
static size_t remove_all(int at, size_t *left) {
  size_t removed = 0;
  *left = 0;
  DIR *directory = open_directory(at, ".");
  if (directory == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (is_dots(entry->d_name)) continue;
    if (remove_group_of(at, entry->d_name) && remove_tree(at, entry->d_name)) removed++;
    else (*left)++;
  }
  closedir(directory);
  return removed;
}

int remove_main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: instance remove DIR\n", stderr);
    return 2;
  }
  int at = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) {
    if (errno == ENOENT) return 0;
    fprintf(stderr, "instance: %s: %s\n", argv[1], strerror(errno));
    return 1;
  }
  /* Nobody waits for it. */
  if (nice(NICE) == -1) errno = 0;
  size_t left = 0;
  for (int tries = 0; tries < MOST_TRIES;) {
    if (remove_all(at, &left) > 0) continue;
    if (left == 0) break;
    usleep(TRY_AGAIN_US);
    tries++;
  }
  return 0;
}
