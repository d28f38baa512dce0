#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec-protocol.h"
#include "spored.h"

#define DEFAULT_GRACE_MS 10000
#define MOST_ADDITIONS 4096

static const char usage[] =
  "usage: instance exec --socket PATH [--tty] [--login] [--cwd DIR] [--env NAME=VALUE]... [--grace D] [-- COMMAND...]\n"
  "\n"
  "Runs a command in an instance through its exec.sock, with the standard streams of this process; without one, the login shell of the user.\n"
  "Signals are passed on. Exit code: that of the command; 128 + n for signal n; 125 to 127 when it cannot be started; 255 when the instance is gone.\n"
  "\n"
  "  --tty      on a terminal of its own, joined to this one\n"
  "  --login    counts as a login: an instance with one is not idle\n"
  "  --grace D  between TERM and KILL when this process is gone; default: 10s\n";

struct words {
  const char *socket, *cwd, *grace;
  bool terminal, login;
  char *env[MOST_ADDITIONS + 1];
  size_t additions;
};

static void set_once(const char **to, const char *name, const char *value) {
  if (*to != NULL) fail(EXIT_WRONG, "%s: expected it once, found it twice", name);
  *to = value;
}

/* How many words before the command. */
static int read_words(int argc, char **argv, struct words *words) {
  int i = 1;
  while (i < argc) {
    char *word = argv[i++];
    if (strcmp(word, "--") == 0) return i;
    if (word[0] != '-') return i - 1;
    if (strcmp(word, "--help") == 0) {
      fputs(usage, stdout);
      finish_output();
      exit(EXIT_DONE);
    }
    if (strcmp(word, "--tty") == 0) {
      words->terminal = true;
      continue;
    }
    if (strcmp(word, "--login") == 0) {
      words->login = true;
      continue;
    }
    bool socket = strcmp(word, "--socket") == 0, cwd = strcmp(word, "--cwd") == 0, grace = strcmp(word, "--grace") == 0;
    if (!socket && !cwd && !grace && strcmp(word, "--env") != 0) fail(EXIT_WRONG, "unknown option %s; see: instance exec --help", quoted(word));
    if (i == argc) fail(EXIT_WRONG, "%s: expected a value, found none", word);
    char *value = argv[i++];
    if (socket) set_once(&words->socket, word, value);
    else if (cwd) set_once(&words->cwd, word, value);
    else if (grace) set_once(&words->grace, word, value);
    else {
      const char *equals = strchr(value, '=');
      if (equals == NULL || equals == value) fail(EXIT_WRONG, "--env: expected NAME=VALUE, found %s", quoted(value));
      if (words->additions == MOST_ADDITIONS) fail(EXIT_WRONG, "--env: expected it at most %d times, found more", MOST_ADDITIONS);
      words->env[words->additions++] = value;
    }
  }
  return i;
}

int exec_client_main(int argc, char **argv) {
  static struct words words;
  signal(SIGPIPE, SIG_IGN);
  verb_name = "exec";
  int taken = read_words(argc, argv, &words);
  if (words.socket == NULL || words.socket[0] == '\0') fail(EXIT_WRONG, "expected --socket PATH, found none");
  int64_t grace = words.grace == NULL ? DEFAULT_GRACE_MS : read_duration("--grace", words.grace);
  if (grace > EXEC_MOST_GRACE_MS) fail(EXIT_WRONG, "--grace: expected at most 10m, found %s", quoted(words.grace));
  if (words.terminal && !isatty(0)) fail(EXIT_WRONG, "--tty: expected standard input to be a terminal, found that it is none");
  char *shell[] = {login_shell(), NULL};
  bool command = taken < argc;
  struct channel_request request = {
    .argv = command ? argv + taken : shell,
    .env = words.env,
    .cwd = words.cwd,
    .fds = {0, 1, 2},
    .flags = (words.login ? EXEC_LOGIN : 0u) | (command ? 0u : EXEC_LOGIN_SHELL),
    .grace_ms = (uint32_t)grace,
  };
  struct channel_end end = words.terminal ? run_on_terminal(words.socket, &request) : run_there(words.socket, &request);
  if (end.why != NULL) say("%s", end.why);
  return end.code;
}
