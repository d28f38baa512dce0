#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instance.h"
#include "machine.h"

/* Starts instances: a line "number TAB directory" on standard input asks for one, a line "number TAB ready …" or "number TAB failed …" (start.c)
   answers, in any order. Each is started by a child of its own. Ends with its input. */
#define MOST_LINE 8192
#define REAP_MS 200

/* What ps shows of this process, from the first argument on; children say there what they are. */
static char *title;
static size_t title_room;

/* The arguments of a process are one piece of memory. */
static void take_title(int argc, char **argv) {
  title = argv[0];
  title_room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
  memset(argv[argc - 1], 0, strlen(argv[argc - 1]));
}

static void set_title(const char *directory) {
  const char *words[] = {"spawn-instance", "start", directory};
  size_t at = 0;
  memset(title, 0, title_room);
  for (size_t i = 0; i < 3; i++) {
    size_t length = strlen(words[i]);
    if (at + length >= title_room) return;
    memcpy(title + at, words[i], length);
    at += length + 1;
  }
}

static size_t children;

static void reap(void) {
  while (children > 0 && waitpid(-1, NULL, WNOHANG) > 0) children--;
}

static void start(char *line) {
  char *tab = strchr(line, '\t'), number[24];
  if (tab == NULL || tab - line > 20) return;
  snprintf(number, sizeof number, "%.*s\t", (int)(tab - line), line);
  pid_t child = fork();
  if (child < 0) {
    say_failed(STDOUT_FILENO, number, "start", "fork");
    return;
  }
  if (child > 0) {
    children++;
    return;
  }
  set_title(tab + 1);
  /* Not merely closed: what is opened next would get its number, and the init puts /dev/null there. */
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
    say_failed(STDOUT_FILENO, number, "open", "/dev/null");
    _exit(1);
  }
  exit(start_instance(tab + 1, number));
}

int serve_main(int argc, char **argv) {
  static char text[MOST_LINE];
  size_t length = 0;
  if (argc != 2) {
    fputs("usage: instance serve TITLE\n", stderr);
    return 2;
  }
  take_title(argc, argv);
  for (;;) {
    struct pollfd asked = {.fd = STDIN_FILENO, .events = POLLIN};
    int events = poll(&asked, 1, children > 0 ? REAP_MS : -1);
    reap();
    if (events <= 0) continue;
    ssize_t got = read(STDIN_FILENO, text + length, sizeof text - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    length += (size_t)got;
    char *from = text;
    for (char *end; (end = memchr(from, '\n', length - (size_t)(from - text))) != NULL; from = end + 1) {
      *end = '\0';
      start(from);
    }
    length -= (size_t)(from - text);
    memmove(text, from, length);
    if (length == sizeof text) {
      fputs("a request is too long\n", stderr);
      return 1;
    }
  }
}
