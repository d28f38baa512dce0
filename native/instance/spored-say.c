#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spored.h"

#define LONGEST_QUOTED 200

const char *verb_name = "";

static void say_all(const char *format, va_list arguments) {
  char line[8192];
  int head = snprintf(line, sizeof line, "spored%s%s: ", *verb_name ? " " : "", verb_name);
  int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, arguments);
  size_t length = (size_t)head + (size_t)(body < 0 ? 0 : body);
  if (length > sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  /* One write: lines of several commands at once stay whole. */
  ssize_t written = write(2, line, length);
  (void)written;
}

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say_all(format, arguments);
  va_end(arguments);
}

void fail(int code, const char *format, ...) {
  fflush(stdout);
  va_list arguments;
  va_start(arguments, format);
  say_all(format, arguments);
  va_end(arguments);
  exit(code);
}

const char *quoted(const char *text) {
  static char texts[8][LONGEST_QUOTED * 2 + 8];
  static unsigned next;
  char *start = texts[next++ % 8], *to = start;
  *to++ = '"';
  for (size_t i = 0; text[i] != '\0'; i++) {
    if (i == LONGEST_QUOTED) {
      memcpy(to, "...", 3);
      to += 3;
      break;
    }
    if (text[i] == '"' || text[i] == '\\') *to++ = '\\';
    *to++ = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
  }
  *to++ = '"';
  *to = '\0';
  return start;
}

void *must_have(void *memory) {
  if (memory == NULL) fail(EXIT_FILES, "out of memory");
  return memory;
}

char *format_text(const char *format, ...) {
  va_list arguments;
  char *text = NULL;
  va_start(arguments, format);
  if (vasprintf(&text, format, arguments) < 0) text = NULL;
  va_end(arguments);
  return must_have(text);
}

void finish_output(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return;
  if (errno == EPIPE) exit(141);
  fail(EXIT_FILES, "standard output: %s", strerror(errno));
}
