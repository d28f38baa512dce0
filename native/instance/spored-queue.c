#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "spored-queue.h"

/* How often a take that waits looks whether somebody who holds an item has died: nothing tells that by itself. */
#define LOOK_FOR_DEAD_MS 2000

static int64_t push_lines(struct pusher *pusher) {
  char *line = NULL;
  size_t room = 0;
  int64_t number = 0;
  for (ssize_t length; (length = getline(&line, &room, stdin)) >= 0;) {
    number++;
    if (length > 0 && line[length - 1] == '\n') line[--length] = '\0';
    if (length == 0) continue;
    if (length > MAX_ITEM_BYTES) fail(EXIT_WRONG, "standard input, line %lld: expected at most %d bytes, found %zd", (long long)number, MAX_ITEM_BYTES, length);
    if (strlen(line) != (size_t)length) fail(EXIT_WRONG, "standard input, line %lld: expected text, found a NUL", (long long)number);
    push_item(pusher, line, (size_t)length);
  }
  if (ferror(stdin)) fail(EXIT_FILES, "standard input: %s", strerror(errno));
  free(line);
  return number;
}

static void check_items(int count, char **items) {
  if (count == 0) fail(EXIT_WRONG, "push: expected an ITEM, or - for standard input, found none");
  for (int i = 0; i < count; i++) {
    size_t length = strlen(items[i]);
    if (length == 0) fail(EXIT_WRONG, "ITEM: expected some text, found \"\"");
    if (length > MAX_ITEM_BYTES) fail(EXIT_WRONG, "ITEM: expected at most %d bytes, found %zu", MAX_ITEM_BYTES, length);
    if (strchr(items[i], '\n') != NULL) fail(EXIT_WRONG, "ITEM: expected one line, found %s", quoted(items[i]));
  }
}

static int push(const char *queue, int count, char **items) {
  struct pusher *pusher = begin_push(queue);
  if (count == 1 && strcmp(items[0], "-") == 0) push_lines(pusher);
  else for (int i = 0; i < count; i++) push_item(pusher, items[i], strlen(items[i]));
  size_t pushed = end_push(pusher);
  printf("%zu item%s pushed\n", pushed, pushed == 1 ? "" : "s");
  return EXIT_DONE;
}

static struct json *number_json(uint64_t number) {
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  return json_new(JSON_NUMBER, text);
}

static void print_json(const struct json *value) {
  json_print(stdout, value, -1);
  putchar('\n');
}

static int print_item(uint64_t number, const char *item, bool json) {
  if (!json) {
    printf("%llu\t%s\n", (unsigned long long)number, item);
    return EXIT_DONE;
  }
  struct json *object = json_new(JSON_OBJECT, NULL);
  json_set(object, "id", number_json(number));
  json_set(object, "item", json_new(JSON_TEXT, item));
  print_json(object);
  return EXIT_DONE;
}

static int take(const char *queue, const char *name, int64_t patience, bool json) {
  uint64_t number, until = monotonic_ms() + (uint64_t)patience;
  char *item;
  int events = patience > 0 ? watch_directory(queue_part(queue, "ready"), IN_MOVED_TO) : -1;
  for (;;) {
    if (take_item(queue, &number, &item)) return print_item(number, item, json);
    ask_holders(queue, name);
    if (give_back(queue) > 0) continue;
    if (take_item(queue, &number, &item)) return print_item(number, item, json);
    uint64_t now = monotonic_ms();
    if (now >= until) return EXIT_DONE;
    uint64_t left = until - now;
    bool held = count_items(queue).taken > 0;
    wait_for_change(events, held && left > LOOK_FOR_DEAD_MS ? LOOK_FOR_DEAD_MS : left);
  }
}

static uint64_t read_number(const char *text) {
  char *rest = NULL;
  errno = 0;
  unsigned long long number = isdigit((unsigned char)text[0]) ? strtoull(text, &rest, 10) : 0;
  if (number == 0 || errno != 0 || *rest != '\0') fail(EXIT_WRONG, "ID: expected a whole number from 1 on, found %s", quoted(text));
  return number;
}

static int done(const char *queue, uint64_t number) {
  const char *why;
  if (finish_item(queue, number, &why)) return EXIT_DONE;
  fail(EXIT_NOT, "item %llu: expected one that this instance holds, but %s", (unsigned long long)number, why);
}

static int status(const char *queue, const char *name, bool json) {
  give_back(queue);
  struct counts counts = count_items(queue);
  if (json) {
    struct json *object = json_new(JSON_OBJECT, NULL), *held = json_new(JSON_LIST, NULL), **link = &held->first;
    json_set(object, "name", json_new(JSON_TEXT, name));
    json_set(object, "ready", number_json(counts.ready));
    json_set(object, "taken", number_json(counts.taken));
    json_set(object, "done", number_json(counts.done));
    for (size_t i = 0; i < counts.taken; i++) {
      struct json *one = json_new(JSON_OBJECT, NULL);
      json_set(one, "id", number_json(counts.held[i].number));
      json_set(one, "instance", json_new(JSON_TEXT, counts.held[i].instance));
      *link = one;
      link = &one->next;
    }
    json_set(object, "held", held);
    print_json(object);
    return EXIT_DONE;
  }
  printf("ready %zu  taken %zu  done %zu\n", counts.ready, counts.taken, counts.done);
  for (size_t i = 0; i < counts.taken; i++) printf("  %llu  %s\n", (unsigned long long)counts.held[i].number, counts.held[i].instance);
  return EXIT_DONE;
}

int run_queue(int argc, char **argv) {
  const char *wait = NULL, *output = NULL;
  const struct option options[] = {{"wait", 'w', &wait, NULL}, {"output", 'o', &output, NULL}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  static const char *const verbs[] = {"push", "take", "done", "status"};
  size_t verb = 0;
  if (operands == 0) fail(EXIT_WRONG, "expected push, take, done or status, found none");
  while (verb < COUNT_OF(verbs) && strcmp(verbs[verb], argv[0]) != 0) verb++;
  if (verb == COUNT_OF(verbs)) fail(EXIT_WRONG, "expected push, take, done or status, found %s", quoted(argv[0]));
  if (operands < 2) fail(EXIT_WRONG, "%s: expected a NAME, found none", argv[0]);
  const char *name = argv[1];
  bool json = wants_json(output);
  if (wait != NULL && verb != 1) fail(EXIT_WRONG, "%s: expected --wait with take only", argv[0]);
  if (output != NULL && verb != 1 && verb != 3) fail(EXIT_WRONG, "%s: expected --output with take and status only", argv[0]);
  int64_t patience = wait == NULL ? 0 : read_duration("--wait", wait);
  uint64_t number = 0;
  if (verb == 0) check_items(operands - 2, argv + 2);
  if (verb == 2 && operands < 3) fail(EXIT_WRONG, "done: expected an ID, found none");
  if (verb == 2) number = read_number(argv[2]);
  int most = verb == 0 ? operands : verb == 2 ? 3 : 2;
  if (operands > most) fail(EXIT_WRONG, "%s: expected no more words, found %s", argv[0], quoted(argv[most]));
  char *queue = open_queue(name);
  int code = verb == 0 ? push(queue, operands - 2, argv + 2) : verb == 1 ? take(queue, name, patience, json) : verb == 2 ? done(queue, number) : status(queue, name, json);
  finish_output();
  return code;
}
