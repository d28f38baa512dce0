#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spored.h"

int run_emit(int argc, char **argv) {
  const char *name = NULL;
  const struct option options[] = {{"as", 'a', &name, NULL}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  if (operands == 0) fail(EXIT_WRONG, "expected a file, found nothing");
  if (operands > 1) fail(EXIT_WRONG, "expected one file, found %s too", quoted(argv[1]));
  const char *path = argv[0], *slash = strrchr(path, '/');
  struct json *request = task_request("emit");
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat found;
  if (file < 0 || fstat(file, &found) != 0) fail(errno == ENOENT ? EXIT_WRONG : EXIT_FILES, "%s: %s", path, strerror(errno));
  if (!S_ISREG(found.st_mode)) fail(EXIT_WRONG, "%s: expected a file, found something else", path);
  json_set(request, "name", json_new(JSON_TEXT, name != NULL ? name : slash == NULL ? path : slash + 1));
  struct task_bytes sent = {.file = file, .length = (uint64_t)found.st_size};
  ask_worker(request, &sent, NULL, NULL);
  return EXIT_DONE;
}
