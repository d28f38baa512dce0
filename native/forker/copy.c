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

/* All that tasks of an instance print is also here. A program that reads it while what it prints is added would go on until the disk is full. */
#define INSTANCE_OUTPUT "/cloud-init-output.log"
#define MOST_INSTANCE_OUTPUT ((off_t)256 << 20)

/* The init of an instance gives its forker this variable. */
static bool is_instance_output(const char *path) {
  size_t length = strlen(path), end = sizeof INSTANCE_OUTPUT - 1;
  return length > end && strcmp(path + length - end, INSTANCE_OUTPUT) == 0 && getenv("SPAWN_RUN_DIR") != NULL;
}

static bool has_room(int fd, size_t more) {
  struct stat file;
  return fstat(fd, &file) != 0 || file.st_size + (off_t)more <= MOST_INSTANCE_OUTPUT;
}

/* Every folder of the path but its last part; what is there already, or cannot be made, shows when the file is opened. */
static void make_folders(int from, char *path) {
  for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = '\0';
    mkdirat(from, path, 0777);
    *at = '/';
  }
}

/* /dev/stdout and the like would be our own: what we say to the worker. */
static bool is_ours(int fd) {
  struct stat file, own;
  if (fstat(fd, &file) != 0 || S_ISREG(file.st_mode)) return false;
  for (int number = 0; number < 3; number++) {
    if (fstat(number, &own) == 0 && own.st_dev == file.st_dev && own.st_ino == file.st_ino && !S_ISCHR(own.st_mode)) return true;
  }
  return false;
}

/* O_APPEND also after a truncation, so that tasks that share a file add to it instead of writing over each other; O_NONBLOCK, because
   a FIFO without a reader would keep us, and with us everybody, waiting. */
static int open_at(int from, const char *name, bool append) {
  char path[PATH_MAX];
  size_t length = strlen(name);
  if (length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(path, name, length + 1);
  int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (append ? 0 : O_TRUNC);
  int fd = openat(from, path, flags, 0666);
  if (fd < 0 && errno == ENOENT) {
    make_folders(from, path);
    fd = openat(from, path, flags, 0666);
  }
  if (fd >= 0 && is_ours(fd)) {
    close(fd);
    errno = EINVAL;
    return -1;
  }
  return fd;
}

int copy_open(struct task *task, enum step *step) {
  const struct run *run = task->run;
  char *const *paths = run->output_paths;
  if (*paths[0] == '\0' && *paths[1] == '\0') return 0;
  *step = STEP_CWD;
  int from = open(run->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC), error = 0;
  if (from < 0) return errno;
  *step = STEP_OUTPUT;
  mode_t own = umask(run->umask == UMASK_INHERIT ? F.umask : (mode_t)(run->umask & 0777));
  for (int i = 0; i < 2 && error == 0; i++) {
    if (*paths[i] == '\0') continue;
    if (i == 1 && task->copies[0] >= 0 && strcmp(paths[0], paths[1]) == 0) task->copies[1] = task->copies[0];
    else task->copies[i] = open_at(from, paths[i], run->append);
    if (task->copies[i] < 0) error = errno;
    else task->copied[i] = true;
    task->copy_capped |= is_instance_output(paths[i]);
  }
  umask(own);
  close(from);
  if (error != 0) copy_close(task);
  return error;
}

static void end_copy(struct task *task, int stream, int error) {
  char text[160];
  bool both = task->copies[0] == task->copies[1];
  const char *which = both ? "output" : stream == 0 ? "stdout" : "stderr";
  snprintf(text, sizeof text, "... the copy of %s to its file ended here: %s ...\n", which, strerror(error));
  close(task->copies[stream]);
  if (both) task->copies[1 - stream] = -1;
  task->copies[stream] = -1;
  log_note(task, LOG_COPY, text);
}

void copy_bytes(struct task *task, int stream, const uint8_t *bytes, size_t length) {
  if (task->copy_capped && task->copies[stream] >= 0 && !has_room(task->copies[stream], length)) end_copy(task, stream, EFBIG);
  while (length > 0 && task->copies[stream] >= 0) {
    ssize_t wrote = write(task->copies[stream], bytes, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      end_copy(task, stream, wrote == 0 ? EIO : errno);
      break;
    }
    bytes += wrote;
    length -= (size_t)wrote;
  }
  task->copy_lost += length;
}

void copy_close(struct task *task) {
  if (task->copies[0] >= 0) close(task->copies[0]);
  if (task->copies[1] >= 0 && task->copies[1] != task->copies[0]) close(task->copies[1]);
  task->copies[0] = task->copies[1] = -1;
}
