#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spored.h"

__attribute__((noreturn)) static void print_help(void) {
  fputs(help_of(verb_name), stdout);
  finish_output();
  exit(EXIT_DONE);
}

static const struct option *find(const struct option *options, size_t count, const char *name, size_t length, char letter) {
  for (size_t i = 0; i < count; i++) {
    if (letter != 0 ? options[i].letter == letter : strncmp(options[i].name, name, length) == 0 && options[i].name[length] == '\0') {
      return &options[i];
    }
  }
  return NULL;
}

__attribute__((noreturn)) static void unknown(const char *word) {
  fail(EXIT_WRONG, "unknown option %s; see: spored help %s", quoted(word), verb_name);
}

static void set(const struct option *option, const char *word, const char *value) {
  if (option->value == NULL) {
    if (value != NULL) fail(EXIT_WRONG, "%s: expected no value, found %s", word, quoted(value));
    *option->flag = true;
    return;
  }
  if (*option->value != NULL) fail(EXIT_WRONG, "--%s: expected it once, found it twice", option->name);
  if (value == NULL) fail(EXIT_WRONG, "--%s: expected a value, found none", option->name);
  *option->value = value;
}

/* How many words it took. */
static int read_one(int left, char **words, const struct option *options, size_t count) {
  char *word = words[0];
  const char *next = left > 1 ? words[1] : NULL;
  if (word[1] == '-') {
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word + 2) : (size_t)(equals - word - 2);
    const struct option *option = find(options, count, word + 2, length, 0);
    if (option == NULL && strcmp(word, "--help") == 0) print_help();
    if (option == NULL) unknown(word);
    if (equals != NULL) {
      set(option, word, equals + 1);
      return 1;
    }
    set(option, word, option->value == NULL ? NULL : next);
    return option->value == NULL ? 1 : 2;
  }
  const struct option *option = find(options, count, NULL, 0, word[1]);
  if (option == NULL && strcmp(word, "-h") == 0) print_help();
  if (option == NULL || (option->value == NULL && word[2] != '\0')) unknown(word);
  if (option->value == NULL || word[2] != '\0') {
    set(option, word, option->value == NULL ? NULL : word + 2);
    return 1;
  }
  set(option, word, next);
  return 2;
}

int read_options(int argc, char **argv, const struct option *options, size_t count, bool stop) {
  int operands = 0;
  for (int i = 0; i < argc;) {
    if (strcmp(argv[i], "--") == 0) {
      for (i++; i < argc; i++) argv[operands++] = argv[i];
    } else if (argv[i][0] != '-' || argv[i][1] == '\0') {
      argv[operands++] = argv[i++];
      if (stop) {
        while (i < argc) argv[operands++] = argv[i++];
      }
    } else {
      i += read_one(argc - i, argv + i, options, count);
    }
  }
  argv[operands] = NULL;
  return operands;
}

/* The grammar of src/core/duration.ts. */
int64_t read_duration(const char *where, const char *text) {
  static const struct {
    const char *name;
    int64_t ms;
  } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
  const char *example = "a duration as 90s, 5m or 1h30m";
  if (strcmp(text, "0") == 0) return 0;
  int64_t total = 0;
  size_t next = 0;
  const char *at = text;
  do {
    if (!isdigit((unsigned char)*at)) fail(EXIT_WRONG, "%s: expected %s, found %s", where, example, quoted(text));
    int64_t number = 0;
    for (; isdigit((unsigned char)*at); at++) {
      number = number * 10 + (*at - '0');
      if (number > 9007199254740991) fail(EXIT_WRONG, "%s: expected a duration below 285,000 years, found %s", where, quoted(text));
    }
    size_t length = 0;
    while (isalpha((unsigned char)at[length])) length++;
    size_t unit = 0;
    while (unit < COUNT_OF(units) && (strlen(units[unit].name) != length || strncasecmp(units[unit].name, at, length) != 0)) unit++;
    if (unit == COUNT_OF(units)) {
      fail(EXIT_WRONG, "%s: expected a unit after each number (d, h, m, s or ms), found %s", where, quoted(text));
    }
    if (unit < next) fail(EXIT_WRONG, "%s: expected the larger unit first, found %s", where, quoted(text));
    int64_t part;
    if (__builtin_mul_overflow(number, units[unit].ms, &part) || __builtin_add_overflow(total, part, &total) || total > 9007199254740991) {
      fail(EXIT_WRONG, "%s: expected a duration below 285,000 years, found %s", where, quoted(text));
    }
    next = unit + 1;
    at += length;
  } while (*at != '\0');
  return total;
}

bool wants_json(const char *output) {
  if (output == NULL || strcmp(output, "text") == 0) return false;
  if (strcmp(output, "json") == 0) return true;
  fail(EXIT_WRONG, "--output: expected text or json, found %s", quoted(output));
}
