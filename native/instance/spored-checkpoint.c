#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spored.h"

static int put(const char *path) {
  struct json *request = task_request("checkpoint-put");
  size_t length;
  char *bytes = read_operand(path, MAX_CHECKPOINT_BYTES, &length);
  struct task_bytes sent = {.memory = bytes, .length = length};
  ask_worker(request, &sent, NULL, NULL);
  return EXIT_DONE;
}

static int get(const char *path) {
  char *bytes;
  size_t length;
  const struct json *reply = ask_worker(task_request("checkpoint-get"), NULL, &bytes, &length);
  if (!json_true(reply, "found")) return EXIT_NOT;
  if (strcmp(path, "-") == 0) {
    fwrite(bytes, 1, length, stdout);
    finish_output();
  } else if (!write_whole(path, bytes, length, false)) {
    fail(EXIT_FILES, "%s: %s", path, strerror(errno));
  }
  return EXIT_DONE;
}

int run_checkpoint(int argc, char **argv) {
  int operands = read_options(argc, argv, NULL, 0, false);
  bool is_put = operands > 0 && strcmp(argv[0], "put") == 0;
  if (operands == 0) fail(EXIT_WRONG, "expected get or put, found nothing");
  if (!is_put && strcmp(argv[0], "get") != 0) fail(EXIT_WRONG, "expected get or put, found %s", quoted(argv[0]));
  if (operands < 2) fail(EXIT_WRONG, "%s: expected a file, or -, found nothing", argv[0]);
  if (operands > 2) fail(EXIT_WRONG, "%s: expected one file, found %s too", argv[0], quoted(argv[2]));
  return is_put ? put(argv[1]) : get(argv[1]);
}
