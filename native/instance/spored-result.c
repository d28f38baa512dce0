#define _GNU_SOURCE
#include "spored.h"

int run_result(int argc, char **argv) {
  int operands = read_options(argc, argv, NULL, 0, false);
  if (operands == 0) fail(EXIT_WRONG, "expected a file with a JSON value, or -, found nothing");
  if (operands > 1) fail(EXIT_WRONG, "expected one file, found %s too", quoted(argv[1]));
  struct json *request = task_request("result");
  size_t length;
  char *bytes = read_operand(argv[0], MAX_RESULT_BYTES, &length);
  struct task_bytes sent = {.memory = bytes, .length = length};
  ask_worker(request, &sent, NULL, NULL);
  return EXIT_DONE;
}
