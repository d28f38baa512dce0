#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"

/* Between TERM and KILL of user-data when boot itself is killed. */
#define USER_DATA_GRACE_MS 10000
#define LONGEST_SHEBANG 4096

extern char **environ;

/* Splits `#! PROGRAM [ONE WORD OR MORE]` as the kernel does (execve(2)); false: none. */
static bool read_shebang(const char *path, char **program, char **word) {
  char line[LONGEST_SHEBANG + 1];
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? -1 : read(file, line, sizeof line - 1);
  if (file >= 0) close(file);
  if (got < 2 || line[0] != '#' || line[1] != '!') return false;
  line[got] = '\0';
  line[strcspn(line, "\n")] = '\0';
  char *start = line + 2 + strspn(line + 2, " \t"), *end = start + strcspn(start, " \t");
  char *rest = end + strspn(end, " \t"), *last = rest + strlen(rest);
  while (last > rest && strchr(" \t", last[-1]) != NULL) last--;
  *last = '\0';
  *end = '\0';
  *program = must_have(strdup(start));
  *word = *rest == '\0' ? NULL : must_have(strdup(rest));
  return **program != '\0';
}

/* Through exec.sock, so that what user-data leaves behind belongs to the instance. */
static bool start_there(struct running *running, char **argv) {
  char *here = getcwd(NULL, 0), *socket = run_path("exec.sock");
  const struct channel_request request = {.argv = argv, .env = environ, .cwd = here, .fds = {0, 1, 2}, .grace_ms = USER_DATA_GRACE_MS};
  bool open = channel_open(&running->channel, socket, &request);
  int error = errno;
  free(here);
  free(socket);
  errno = error;
  running->how = open ? THERE : NOTHING;
  running->program = argv[0];
  return open;
}

bool start_user_data(struct running *running, const char *path, int *code) {
  char *program = NULL, *word = NULL;
  char *plain[] = {"/bin/sh", (char *)path, NULL};
  char *with_shebang[4] = {NULL};
  char **argv = plain;
  if (read_shebang(path, &program, &word)) {
    size_t count = 0;
    with_shebang[count++] = program;
    if (word != NULL) with_shebang[count++] = word;
    with_shebang[count] = (char *)path;
    argv = with_shebang;
  }
  if (start_there(running, argv)) return true;
  if (errno == ENOENT || errno == ECONNREFUSED) {
    say("nobody starts processes on exec.sock, so user-data is a part of this attempt and ends with it");
    return start_command(running, argv, code);
  }
  *code = 126;
  say("user-data cannot be started: %s", strerror(errno));
  return false;
}

__attribute__((noreturn)) static void become_command(char **argv, pid_t parent) {
  signal(SIGPIPE, SIG_DFL);
  give_signals_back();
  /* A group of its own: what is passed on reaches all of it once, whether or not this group was signalled as a whole. */
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(125);
  execvp(argv[0], argv);
  int error = errno;
  say("%s: %s", argv[0], strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

bool start_command(struct running *running, char **argv, int *code) {
  pid_t parent = getpid(), child = fork();
  if (child == 0) become_command(argv, parent);
  if (child < 0) {
    say("cannot start %s: %s", argv[0], strerror(errno));
    *code = 126;
    return false;
  }
  setpgid(child, child);
  *running = (struct running){.how = CHILD, .pid = child};
  return true;
}

static bool has_child_ended(struct running *running, struct outcome *outcome) {
  int status;
  pid_t ended;
  do ended = waitpid(running->pid, &status, WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended == 0) return false;
  *outcome = WIFSIGNALED(status) ? (struct outcome){.signal = WTERMSIG(status), .code = 128 + WTERMSIG(status)} : (struct outcome){.code = WEXITSTATUS(status)};
  return true;
}

bool has_ended(struct running *running, struct outcome *outcome) {
  if (running->how == NOTHING) return true;
  if (running->how == CHILD) {
    if (!has_child_ended(running, outcome)) return false;
  } else {
    struct channel_end end;
    if (!channel_read(&running->channel, &end)) return false;
    if (end.how == END_NOT_STARTED) say("user-data: cannot start %s: %s", running->program, end.why);
    if (end.how == END_GONE) say("user-data: %s", end.why);
    *outcome = (struct outcome){.code = end.code, .signal = end.how == END_SIGNALLED ? end.number : 0};
    close(running->channel.fd);
  }
  running->how = NOTHING;
  return true;
}

void pass_on(const struct running *running, int signal) {
  if (running->how == THERE) channel_signal(&running->channel, signal);
  if (running->how == CHILD) kill(-running->pid, signal);
}
