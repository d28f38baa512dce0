#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"

static char *state_path(const char *name) {
  char *inside = format_text("state/%s", name), *path = etc_path(inside);
  free(inside);
  return path;
}

static void note(const char *name, struct json *object) {
  char *directory = etc_path("state"), *path = state_path(name), *text = format_text("%s\n", json_line(object));
  if (mkdir(directory, 0755) != 0 && errno != EEXIST) fail(EXIT_FILES, "%s: %s", directory, strerror(errno));
  if (!write_whole(path, text, strlen(text), false)) fail(EXIT_FILES, "%s: %s", path, strerror(errno));
  free(directory);
  free(path);
  free(text);
}

static void forget(char *path) {
  if (unlink(path) != 0 && errno != ENOENT) fail(EXIT_FILES, "%s: %s", path, strerror(errno));
  free(path);
}

static struct json *stamped(void) {
  struct json *object = json_new(JSON_OBJECT, NULL);
  json_set(object, "timestamp", json_new(JSON_TEXT, timestamp_now()));
  return object;
}

static bool failed_before(const char *path) {
  size_t length;
  char *text = read_whole(path, 65536, &length);
  const struct json *object = text == NULL ? NULL : json_read(text, length);
  return json_number(object, "exit", 0) != 0 || json_number(object, "signal", 0) != 0;
}

void forget_decided(bool work) {
  char *decided = state_path("decided"), *user_data = state_path("user-data");
  if (access(decided, F_OK) != 0) return;
  if (work || failed_before(user_data)) forget(user_data);
  size_t length;
  char *note = completion_note(), *text = read_whole(note, 65536, &length);
  /* Where `spored complete --file` has put it, and where it is by default. */
  const char *file = text == NULL ? NULL : json_text(json_read(text, length), "file");
  if (file != NULL && file[0] == '/') forget(format_text("%s", file));
  forget(completion_file());
  forget(note);
  /* The last, so that a kill before this line has it all done again. */
  forget(decided);
}

bool has_run_user_data(void) {
  char *path = state_path("user-data");
  bool has = access(path, F_OK) == 0;
  free(path);
  return has;
}

void note_user_data(const struct outcome *outcome) {
  struct json *object = stamped();
  char number[16];
  snprintf(number, sizeof number, "%d", outcome->signal != 0 ? outcome->signal : outcome->code);
  json_set(object, outcome->signal != 0 ? "signal" : "exit", json_new(JSON_NUMBER, number));
  note("user-data", object);
}

void note_decided(void) {
  note("decided", stamped());
}
