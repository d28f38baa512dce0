#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "spored.h"

/* Where the kernel does not tell of changes. */
#define LOOK_EVERY_MS 100
#define LONGEST_POLL_MS 3600000

#define OWN_ETC "/etc/spawn"

static const char *place(const char *variable, const char *otherwise) {
  const char *value = getenv(variable);
  return value != NULL && value[0] == '/' ? value : otherwise;
}

char *run_path(const char *name) {
  return format_text("%s%s%s", place("SPAWN_RUN_DIR", "/run/spawn"), *name ? "/" : "", name);
}

char *etc_path(const char *name) {
  return format_text("%s%s%s", place("SPAWN_ETC_DIR", OWN_ETC), *name ? "/" : "", name);
}

bool has_own_tmp(void) {
  return strcmp(place("SPAWN_ETC_DIR", OWN_ETC), OWN_ETC) == 0;
}

char *peers_path(void) {
  const char *value = getenv("SPAWN_PEERS_FILE");
  return value != NULL && value[0] == '/' ? format_text("%s", value) : etc_path("job-array-peers.json");
}

bool is_inside(void) {
  struct stat found;
  char *directory = run_path("");
  bool inside = stat(directory, &found) == 0 && S_ISDIR(found.st_mode);
  free(directory);
  return inside;
}

void must_be_inside(void) {
  if (!is_inside()) fail(EXIT_OUTSIDE, "expected to be inside an instance, found no %s here", run_path(""));
}

char *read_whole(const char *path, size_t limit, size_t *length) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return NULL;
  size_t room = 4096, filled = 0;
  char *bytes = must_have(malloc(room + 1));
  for (;;) {
    ssize_t got = read(file, bytes + filled, room - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      int error = errno;
      close(file);
      if (got < 0) {
        free(bytes);
        errno = error;
        return NULL;
      }
      break;
    }
    filled += (size_t)got;
    if (filled > limit) {
      close(file);
      free(bytes);
      errno = EFBIG;
      return NULL;
    }
    if (filled == room) bytes = must_have(realloc(bytes, (room *= 2) + 1));
  }
  bytes[filled] = '\0';
  if (length != NULL) *length = filled;
  return bytes;
}

static bool write_bytes(int file, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

bool write_whole(const char *path, const char *bytes, size_t length, bool exclusive) {
  char *fresh = format_text("%s.XXXXXX", path);
  int file = mkostemp(fresh, O_CLOEXEC);
  if (file < 0) {
    free(fresh);
    return false;
  }
  /* Readable for whoever looks, as a shell would have made it. */
  mode_t mask = umask(0);
  umask(mask);
  bool done = fchmod(file, 0666 & ~mask) == 0 && write_bytes(file, bytes, length) && fdatasync(file) == 0;
  if (close(file) != 0) done = false;
  if (done) done = exclusive ? link(fresh, path) == 0 : rename(fresh, path) == 0;
  int error = errno;
  if (!done || exclusive) unlink(fresh);
  free(fresh);
  errno = error;
  return done;
}

const char *timestamp_now(void) {
  static char text[40];
  struct timespec now;
  struct tm parts;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, sizeof text - length, ".%03ldZ", now.tv_nsec / 1000000);
  return text;
}

uint64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int watch_directory(const char *path, uint32_t mask) {
  int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (events < 0) return -1;
  if (inotify_add_watch(events, path, mask) >= 0) return events;
  int error = errno;
  close(events);
  errno = error;
  return -1;
}

void wait_for_change(int events, uint64_t most_ms) {
  struct pollfd watched = {.fd = events, .events = POLLIN};
  uint64_t longest = events < 0 ? LOOK_EVERY_MS : LONGEST_POLL_MS;
  poll(&watched, 1, (int)(most_ms > longest ? longest : most_ms));
  char bytes[4096];
  while (events >= 0 && read(events, bytes, sizeof bytes) > 0) continue;
}
