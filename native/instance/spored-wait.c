#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "spored.h"

#define DEFAULT_TIMEOUT_MS 60000

/* Watched by the directory, because each version of the file is a new one that takes the name of the one before. */
static int watch_directory_of(const char *path) {
  char *folder = format_text("%.*s", (int)(strrchr(path, '/') - path), path);
  int events = watch_directory(folder[0] == '\0' ? "/" : folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE);
  if (events < 0 && errno == ENOENT) fail(EXIT_OUTSIDE, "expected to be inside an instance, found no %s here", folder);
  free(folder);
  return events;
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
    wait_for_change(events, until - now);
  }
}
