#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "spored.h"

/* What the agent lets an instance change. The agent checks values too; here they are checked so that a wrong one is told without it. */
static const struct key {
  const char *name;
  enum { DURATION, CHOICE, PERCENT, PATH, TEXT } kind;
  const char *choices;
} keys[] = {
  {"ttl", DURATION, NULL},
  {"idle-timeout", DURATION, NULL},
  {"idle-cpu", PERCENT, NULL},
  {"on-complete", CHOICE, "none, terminate, stop, hibernate"},
  {"on-idle", CHOICE, "stop, hibernate, terminate"},
  {"completion-file", PATH, NULL},
  {"pre-stop", TEXT, NULL},
  {"pre-stop-timeout", DURATION, NULL},
};

static const struct key *find_key(const char *name) {
  char known[256] = "";
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    if (strcmp(keys[i].name, name) == 0) return &keys[i];
    if (i > 0) strcat(known, ", ");
    strcat(known, keys[i].name);
  }
  fail(EXIT_WRONG, "KEY: expected one of %s, found %s", known, quoted(name));
}

static bool is_choice(const char *choices, const char *value) {
  size_t length = strlen(value);
  for (const char *at = choices; length > 0; at += 2) {
    size_t word = strcspn(at, ",");
    if (word == length && strncmp(at, value, length) == 0) return true;
    at += word;
    if (*at == '\0') break;
  }
  return false;
}

static void check_value(const struct key *key, const char *value) {
  char *rest;
  switch (key->kind) {
    case DURATION:
      (void)read_duration(key->name, value);
      return;
    case CHOICE:
      if (!is_choice(key->choices, value)) fail(EXIT_WRONG, "%s: expected one of %s, found %s", key->name, key->choices, quoted(value));
      return;
    case PERCENT: {
      double number = strtod(value, &rest);
      if (*rest == '%' && rest[1] == '\0') rest++;
      if (value[0] != '\0' && *rest == '\0' && number >= 0 && number <= 100 && strspn(value, "0123456789.%") == strlen(value)) return;
      fail(EXIT_WRONG, "%s: expected a number from 0 to 100, found %s", key->name, quoted(value));
    }
    case PATH:
      if (value[0] != '/') fail(EXIT_WRONG, "%s: expected a path that begins with /, found %s", key->name, quoted(value));
      return;
    case TEXT:
      if (strlen(value) > 4096) fail(EXIT_WRONG, "%s: expected at most 4096 bytes, found %zu", key->name, strlen(value));
      return;
  }
}

static struct json *must_answer(const struct json *request) {
  must_be_inside();
  const char *why = NULL;
  struct json *reply = ask_agent(request, &why);
  if (reply == NULL) fail(EXIT_NO_AGENT, "the agent does not answer: %s", why);
  if (json_true(reply, "ok")) return reply;
  const char *says = json_text(reply, "error");
  fail(EXIT_NOT, "%s", says == NULL ? "the agent refused, and gave no reason" : says);
}

static void print_value(const struct json *reply) {
  const char *value = json_text(reply, "value");
  printf("%s\n", value == NULL ? "" : value);
}

static int list(bool json) {
  const struct json *values = json_get(must_answer(request_of("config-list")), "values");
  if (values == NULL || values->kind != JSON_OBJECT) fail(EXIT_NO_AGENT, "the agent answered without values");
  if (json) {
    json_print(stdout, values, 0);
    putchar('\n');
  } else {
    for (const struct json *value = values->first; value != NULL; value = value->next) {
      printf("%-16s  %s\n", value->key, value->text == NULL ? "" : value->text);
    }
  }
  finish_output();
  return EXIT_DONE;
}

int run_config(int argc, char **argv) {
  const char *output = NULL;
  const struct option options[] = {{"output", 'o', &output, NULL}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  const char *what = operands > 0 ? argv[0] : NULL;
  bool json = wants_json(output);
  if (what == NULL) fail(EXIT_WRONG, "expected get, set or list, found none");
  int wanted = strcmp(what, "list") == 0 ? 1 : strcmp(what, "get") == 0 ? 2 : strcmp(what, "set") == 0 ? 3 : 0;
  if (wanted == 0) fail(EXIT_WRONG, "expected get, set or list, found %s", quoted(what));
  if (operands > wanted) fail(EXIT_WRONG, "%s: expected no more words, found %s", what, quoted(argv[wanted]));
  if (wanted == 1) return list(json);
  if (operands < 2) fail(EXIT_WRONG, "%s: expected a KEY, found none", what);
  const struct key *key = find_key(argv[1]);
  if (operands < wanted) fail(EXIT_WRONG, "set: expected a VALUE for %s, found none", key->name);
  struct json *request = request_of(wanted == 2 ? "config-get" : "config-set");
  json_set(request, "key", json_new(JSON_TEXT, key->name));
  if (wanted == 3) {
    check_value(key, argv[2]);
    json_set(request, "value", json_new(JSON_TEXT, argv[2]));
  }
  print_value(must_answer(request));
  finish_output();
  return EXIT_DONE;
}

int run_reload(int argc, char **argv) {
  int operands = read_options(argc, argv, NULL, 0, false);
  if (operands > 0) fail(EXIT_WRONG, "expected no operand, found %s", quoted(argv[0]));
  const struct json *changed = json_get(must_answer(request_of("reload")), "changed");
  printf("Reloaded");
  const char *before = ": changed ";
  for (const struct json *name = changed == NULL ? NULL : changed->first; name != NULL; name = name->next, before = ", ") {
    printf("%s%s", before, name->text == NULL ? "" : name->text);
  }
  printf("%s\n", *before == ':' ? ": nothing had changed" : "");
  finish_output();
  return EXIT_DONE;
}
