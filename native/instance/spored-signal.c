#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spored.h"

#define DEFAULT_COMPLETION_FILE "/tmp/SPAWN_COMPLETE"
#define MAX_COMPLETION_BYTES 65536

char *completion_note(void) {
  return run_path("completion.json");
}

char *completion_socket(void) {
  return run_path("boot.sock");
}

char *completion_file(void) {
  size_t length;
  char *text = read_whole(etc_path("status.json"), MAX_REPLY_BYTES, &length);
  const struct json *status = text == NULL ? NULL : json_read(text, length);
  const char *file = json_text(json_get(status, "on_complete"), "completion_file");
  return format_text("%s", file != NULL && file[0] == '/' ? file : DEFAULT_COMPLETION_FILE);
}

static bool means_failed(const char *status) {
  return status != NULL && (strcmp(status, "failed") == 0 || strcmp(status, "failure") == 0 || strcmp(status, "error") == 0);
}

static bool read_from(const char *path, struct completion *completion) {
  size_t length;
  char *text = read_whole(path, MAX_COMPLETION_BYTES, &length);
  /* Too large to be ours, but there: what a program made by hand is a signal whatever it has in it. */
  if (text == NULL) {
    completion->given = errno == EFBIG;
    return completion->given;
  }
  const struct json *object = json_read(text, length);
  const char *message = json_text(object, "message"), *timestamp = json_text(object, "timestamp"), *file = json_text(object, "file");
  completion->given = true;
  completion->failed = means_failed(json_text(object, "status"));
  completion->message = message == NULL ? NULL : must_have(strdup(message));
  completion->timestamp = timestamp == NULL ? NULL : must_have(strdup(timestamp));
  completion->file = file == NULL ? NULL : must_have(strdup(file));
  return true;
}

struct completion read_completion(void) {
  struct completion completion = {0};
  char *note = completion_note();
  if (!read_from(note, &completion)) {
    char *file = completion_file();
    read_from(file, &completion);
    free(file);
  }
  free(note);
  return completion;
}
