#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spored.h"

static const char *word_of(bool failed) {
  return failed ? "failed" : "success";
}

static bool read_status(const char *status) {
  if (status == NULL || strcmp(status, "success") == 0) return false;
  if (strcmp(status, "failed") == 0) return true;
  fail(EXIT_WRONG, "--status: expected success or failed, found %s", quoted(status));
}

static void check_message(const char *message) {
  if (message == NULL) return;
  if (strlen(message) > MAX_MESSAGE_BYTES) {
    fail(EXIT_WRONG, "--message: expected at most %d bytes, found %zu", MAX_MESSAGE_BYTES, strlen(message));
  }
  for (const unsigned char *at = (const unsigned char *)message; *at != '\0';) {
    int more = *at < 0x80 ? 0 : *at >= 0xc2 && *at < 0xe0 ? 1 : *at >= 0xe0 && *at < 0xf0 ? 2 : *at >= 0xf0 && *at < 0xf5 ? 3 : -1;
    for (at++; more > 0 && (*at & 0xc0) == 0x80; at++) more--;
    if (more != 0) fail(EXIT_WRONG, "--message: expected UTF-8, found other bytes");
  }
}

static char *absolute(const char *path) {
  if (path[0] == '\0') fail(EXIT_WRONG, "--file: expected a path, found \"\"");
  if (path[0] == '/') return format_text("%s", path);
  char *here = must_have(getcwd(NULL, 0));
  return format_text("%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
}

static struct json *document(bool failed, const char *message) {
  struct json *object = json_new(JSON_OBJECT, NULL);
  json_set(object, "status", json_new(JSON_TEXT, word_of(failed)));
  json_set(object, "message", message == NULL ? json_new(JSON_NULL, NULL) : json_new(JSON_TEXT, message));
  json_set(object, "timestamp", json_new(JSON_TEXT, timestamp_now()));
  return object;
}

__attribute__((noreturn)) static void refuse(bool failed) {
  fail(EXIT_NOT, "expected the first signal to stand, found %s after %s; nothing was changed", word_of(!failed), word_of(failed));
}

/* The note decides which signal is the first: a name can be linked once. */
static bool write_note(const char *text, bool failed) {
  char *note = completion_note();
  struct completion before = read_completion();
  if (before.given && before.failed != failed) refuse(before.failed);
  if (write_whole(note, text, strlen(text), true)) return true;
  if (errno != EEXIST) fail(EXIT_FILES, "%s: %s", note, strerror(errno));
  before = read_completion();
  if (before.failed != failed) refuse(before.failed);
  return false;
}

static int complete_task(bool failed, const char *message) {
  struct json *request = task_request("complete");
  json_set(request, "failed", json_new(failed ? JSON_TRUE : JSON_FALSE, NULL));
  if (message != NULL) json_set(request, "message", json_new(JSON_TEXT, message));
  ask_worker(request, NULL, NULL, NULL);
  return EXIT_DONE;
}

int run_complete(int argc, char **argv) {
  const char *status = NULL, *message = NULL, *file = NULL;
  const struct option options[] = {{"status", 's', &status, NULL}, {"message", 'm', &message, NULL}, {"file", 'f', &file, NULL}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  bool failed = read_status(status);
  if (operands > 0) fail(EXIT_WRONG, "expected no operand, found %s", quoted(argv[0]));
  check_message(message);
  if (is_in_task()) {
    if (file != NULL) fail(EXIT_WRONG, "--file: expected none in a task, where the worker takes the word; found %s", quoted(file));
    return complete_task(failed, message);
  }
  char *path = file == NULL ? completion_file() : absolute(file);
  must_be_inside();

  struct json *signal = document(failed, message);
  char *text = format_text("%s\n", json_line(signal));
  json_set(signal, "file", json_new(JSON_TEXT, path));
  bool first = write_note(format_text("%s\n", json_line(signal)), failed);
  if (!first && file == NULL) {
    const char *written_before = read_completion().file;
    if (written_before != NULL && written_before[0] == '/') path = format_text("%s", written_before);
  }
  /* A command before this one may have been killed after its note, so what is missing is done again. */
  bool written = first || access(path, F_OK) != 0 ? write_whole(path, text, strlen(text), false) : true;
  int error = errno;
  send_word(completion_socket());

  struct json *request = request_of("complete");
  json_set(request, "status", json_new(JSON_TEXT, word_of(failed)));
  if (message != NULL) json_set(request, "message", json_new(JSON_TEXT, message));
  json_set(request, "file", json_new(JSON_TEXT, path));
  json_set(request, "timestamp", json_new(JSON_TEXT, json_text(signal, "timestamp")));
  const char *why = NULL;
  const struct json *reply = ask_agent(request, &why);
  if (!written) fail(EXIT_FILES, "%s: %s; the signal itself was given", path, strerror(error));
  if (reply == NULL) {
    say("the agent is away (%s); it finds the signal when it is back", why);
  } else if (!json_true(reply, "ok")) {
    const char *says = json_text(reply, "error");
    fail(EXIT_NO_AGENT, "the agent refused: %s", says == NULL ? "no reason given" : says);
  } else {
    const char *counts = json_text(reply, "status");
    if (counts != NULL && strcmp(counts, word_of(failed)) != 0) refuse(!failed);
  }
  printf("%s: %s (%s)\n", first ? "Completion signal given" : "Completion signal was given before", word_of(failed), path);
  finish_output();
  return EXIT_DONE;
}
