#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spored.h"

/* 0.4 of `0.4` or `40%`. */
static double read_fraction(const char *text) {
  char *end;
  double fraction = strtod(text, &end);
  if (strcmp(end, "%") == 0) fraction /= 100;
  else if (*end != '\0') fraction = NAN;
  if (text[strspn(text, "0123456789.eE+-%")] != '\0' || end == text || !(fraction >= 0 && fraction <= 1)) {
    fail(EXIT_WRONG, "expected how much is done, from 0 to 1 or 0%% to 100%%, found %s", quoted(text));
  }
  return fraction;
}

int run_progress(int argc, char **argv) {
  int operands = read_options(argc, argv, NULL, 0, false);
  if (operands < 1) fail(EXIT_WRONG, "expected how much is done, from 0 to 1, found nothing");
  if (operands > 2) fail(EXIT_WRONG, "expected one message (in quotes), found %s too", quoted(argv[2]));
  double fraction = read_fraction(argv[0]);
  struct json *request = task_request("progress");
  json_set(request, "fraction", json_new(JSON_NUMBER, format_text("%.9g", fraction)));
  if (operands == 2) json_set(request, "message", json_new(JSON_TEXT, argv[1]));
  ask_worker(request, NULL, NULL, NULL);
  return EXIT_DONE;
}
