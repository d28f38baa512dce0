#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "spored.h"

#define DEFAULT_TIMEOUT_MS 60000

/* Watched by the directory, because each version of the file is a new one that takes the name of the one before. */
static int watch_directory_of(const char *path) {
  char *folder = format_text("%.*s", (int)(strrchr(path, '/') - path), path);
  if (folder[0] == '\0') folder = "/";
  int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (events < 0) fail(EXIT_FILES, "cannot watch %s: %s", folder, strerror(errno));
  if (inotify_add_watch(events, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE) < 0) {
    if (errno == ENOENT) fail(EXIT_OUTSIDE, "expected to be inside an instance, found no %s here", folder);
    fail(EXIT_FILES, "cannot watch %s: %s", folder, strerror(errno));
  }
  return events;
}

static void drop_events(int events) {
  char bytes[4096];
  while (read(events, bytes, sizeof bytes) > 0) continue;
}

int run_wait_peers(int argc, char **argv) {
  const char *timeout = NULL;
  const struct option options[] = {{"timeout", 't', &timeout, NULL}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  int64_t patience = timeout == NULL ? DEFAULT_TIMEOUT_MS : read_duration("--timeout", timeout);
  if (operands > 0) fail(EXIT_WRONG, "expected no operand, found %s", quoted(argv[0]));
  char *path = peers_path();
  int events = watch_directory_of(path);
  uint64_t until = monotonic_ms() + (uint64_t)patience;
  for (;;) {
    size_t count;
    const char *why;
    if (read_members(&count, &why) != NULL && count > 0) {
      printf("%zu member%s\n", count, count == 1 ? "" : "s");
      finish_output();
      return EXIT_DONE;
    }
    uint64_t now = monotonic_ms();
    if (now >= until) fail(EXIT_NOT, "expected %s within %s, found it missing or not whole", path, timeout == NULL ? "60s" : timeout);
    uint64_t left = until - now;
    struct pollfd watched = {.fd = events, .events = POLLIN};
    poll(&watched, 1, left > 3600000 ? 3600000 : (int)left);
    drop_events(events);
  }
}
