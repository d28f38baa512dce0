#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "boot.h"

/* A file without a word in it counts so long after it was last written. */
#define SETTLED_AFTER_S 1

struct watch watch_completion(void) {
  char *path = completion_socket();
  struct watch watch = {.word = listen_for_word(path)};
  if (watch.word < 0) fail(EXIT_FILES, "%s: %s", path, strerror(errno));
  watch.file = completion_file();
  free(path);
  return watch;
}

/* Who makes it by `> file` makes it first and writes it then. */
static bool may_be_unfinished(const char *path) {
  struct stat found;
  if (stat(path, &found) != 0) return true;
  size_t length;
  char *text = read_whole(path, 65536, &length);
  bool says = text != NULL && json_text(json_read(text, length), "status") != NULL;
  free(text);
  return !says && time(NULL) - found.st_mtime < SETTLED_AFTER_S + 1;
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

bool see_completion(struct watch *watch, struct completion *completion, bool at_once) {
  char bytes[16];
  while (recv(watch->word, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) continue;
  if (completion->given) return true;
  char *note = completion_note();
  bool noted = access(note, F_OK) == 0;
  free(note);
  if (!noted && (access(watch->file, F_OK) != 0 || (!at_once && may_be_unfinished(watch->file)))) return false;
  *completion = read_completion();
  if (completion->given && !noted) tell_by_hand(watch, completion);
  return completion->given;
}
