#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "boot.h"

struct watch watch_completion(void) {
  struct watch watch = {.events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .file = completion_file()};
  if (watch.events < 0) fail(EXIT_FILES, "cannot watch for the completion signal: %s", strerror(errno));
  char *directory = run_path("");
  watch.note_directory = inotify_add_watch(watch.events, directory, IN_CREATE | IN_MOVED_TO);
  if (watch.note_directory < 0) fail(EXIT_FILES, "%s: cannot be watched: %s", directory, strerror(errno));
  free(directory);
  const char *slash = strrchr(watch.file, '/');
  directory = format_text("%.*s", slash == watch.file ? 1 : (int)(slash - watch.file), watch.file);
  /* Not when it is made, but when whoever made it has written it. Where there is no such directory there is no such file. */
  watch.file_directory = inotify_add_watch(watch.events, directory, IN_CLOSE_WRITE | IN_MOVED_TO);
  free(directory);
  return watch;
}

/* A program has made the completion file by itself: it counts like `spored complete`. */
static void tell_by_hand(const struct watch *watch, const struct completion *completion) {
  struct json *signal = json_new(JSON_OBJECT, NULL);
  const char *status = completion->failed ? "failed" : "success", *when = completion->timestamp;
  json_set(signal, "status", json_new(JSON_TEXT, status));
  json_set(signal, "message", json_new(completion->message == NULL ? JSON_NULL : JSON_TEXT, completion->message));
  json_set(signal, "timestamp", json_new(JSON_TEXT, when == NULL ? timestamp_now() : when));
  json_set(signal, "file", json_new(JSON_TEXT, watch->file));
  char *text = format_text("%s\n", json_line(signal)), *note = completion_note();
  bool first = write_whole(note, text, strlen(text), true);
  free(text);
  free(note);
  if (!first) return;
  struct json *request = request_of("complete");
  json_set(request, "status", json_new(JSON_TEXT, status));
  if (completion->message != NULL) json_set(request, "message", json_new(JSON_TEXT, completion->message));
  json_set(request, "file", json_new(JSON_TEXT, watch->file));
  json_set(request, "timestamp", json_new(JSON_TEXT, json_text(signal, "timestamp")));
  const char *why;
  (void)ask_agent(request, &why);
}

bool see_completion(struct watch *watch, struct completion *completion) {
  _Alignas(struct inotify_event) char bytes[4096];
  while (read(watch->events, bytes, sizeof bytes) > 0) continue;
  if (completion->given) return true;
  char *note = completion_note();
  bool noted = access(note, F_OK) == 0;
  free(note);
  *completion = read_completion();
  if (completion->given && !noted) tell_by_hand(watch, completion);
  return completion->given;
}
