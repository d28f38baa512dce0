#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exec-protocol.h"
#include "machine.h"

/* A program on a disk that does not answer must not hold us, and with us the deadline. */
#define EXEC_WITHIN_MS 5000
#define MOST_ENVIRONMENT_BYTES (1u << 20)

/* The environment under construction: later names win. */
struct variables {
  char **list;
  size_t count, room;
};

static void set_variable(struct variables *to, char *variable) {
  size_t name = strcspn(variable, "=") + 1;
  for (size_t i = 0; i < to->count; i++) {
    if (strncmp(to->list[i], variable, name) != 0) continue;
    to->list[i] = variable;
    return;
  }
  if (to->count + 1 >= to->room) {
    size_t room = to->room == 0 ? 64 : to->room * 2;
    char **larger = realloc(to->list, room * sizeof *larger);
    if (larger == NULL) return;
    to->list = larger;
    to->room = room;
  }
  to->list[to->count++] = variable;
  to->list[to->count] = NULL;
}

/* /etc/spawn/environment, which shells read too: NAME='value', where \' stands outside of the quotes. Rewritten in place to NAME=value. */
static char *read_environment(struct variables *to) {
  int fd = open(etc_place("environment"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  char *text = fd < 0 ? NULL : malloc(MOST_ENVIRONMENT_BYTES + 1);
  size_t length = 0;
  for (ssize_t got; text != NULL && length < MOST_ENVIRONMENT_BYTES && (got = read(fd, text + length, MOST_ENVIRONMENT_BYTES - length)) > 0;) length += (size_t)got;
  if (fd >= 0) close(fd);
  if (text == NULL) return NULL;
  text[length] = '\0';
  char *at = text;
  while (*at != '\0') {
    char *begin = at, *write_to;
    at += strcspn(at, "=\n");
    if (*at != '=' || at[1] != '\'' || at == begin || *begin == '#') {
      at += strcspn(at, "\n");
      if (*at == '\n') at++;
      continue;
    }
    write_to = ++at;
    for (bool quoted = false; *at != '\0' && (quoted || *at != '\n'); at++) {
      if (*at == '\'') quoted = !quoted;
      else if (!quoted && *at == '\\' && at[1] != '\0') *write_to++ = *++at;
      else *write_to++ = *at;
    }
    if (*at == '\n') at++;
    *write_to = '\0';
    set_variable(to, begin);
  }
  return text;
}

static const char *value_of(char *const *env, const char *name) {
  size_t length = strlen(name);
  for (; env != NULL && *env != NULL; env++) {
    if (strncmp(*env, name, length) == 0 && (*env)[length] == '=') return *env + length + 1;
  }
  return NULL;
}

struct failure {
  uint32_t step;
  int error;
};

__attribute__((noreturn)) static void fail_child(int report, uint32_t step) {
  struct failure failure = {.step = step, .error = errno};
  ssize_t wrote = write(report, &failure, sizeof failure);
  _exit(wrote > 0 ? 126 : 127);
}

/* The home directory of somebody may not be there; where it was asked for, it must. */
static bool change_folder(const char *cwd, char *const *env) {
  if (*cwd != '\0') return chdir(cwd) == 0;
  const char *home = value_of(env, "HOME");
  return (home != NULL && chdir(home) == 0) || chdir("/") == 0;
}

__attribute__((noreturn)) static void become(const struct start_request *request, char **env, int report) {
  setsid();
  limits_join();
  die_with_init();
  int fds[EXEC_DESCRIPTORS];
  for (int i = 0; i < EXEC_DESCRIPTORS; i++) {
    fds[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 10); /* none of 0, 1, 2 */
    if (fds[i] < 0) fail_child(report, EXEC_STEP_FORK);
  }
  for (int i = 0; i < EXEC_DESCRIPTORS; i++) dup2(fds[i], i);
  if ((request->flags & EXEC_TERMINAL) != 0 && ioctl(0, TIOCSCTTY, 0) != 0) fail_child(report, EXEC_STEP_TERMINAL);
  if (!change_folder(request->cwd, env)) fail_child(report, EXEC_STEP_CWD);
  plain_signals();
  char *program = request->argv[0];
  /* The profile of the machine would take the programs of the instance out of PATH again. */
  if ((request->flags & EXEC_LOGIN_SHELL) != 0 && !M.conf.plain) {
    const char *slash = strrchr(program, '/');
    static char name[256] = "-";
    strncat(name, slash == NULL ? program : slash + 1, sizeof name - 2);
    request->argv[0] = name;
  }
  environ = env;
  execvp(program, request->argv);
  fail_child(report, EXEC_STEP_EXEC);
}

pid_t request_start(const struct start_request *request, uint32_t *step) {
  struct variables variables = {0};
  for (size_t i = 0; i < M.conf.env_count; i++) set_variable(&variables, (char *)M.conf.env[i]);
  char *text = read_environment(&variables);
  for (uint32_t i = 0; i < request->envc; i++) set_variable(&variables, request->env[i]);
  int report[2];
  *step = EXEC_STEP_FORK;
  pid_t pid = -1;
  if (variables.list != NULL && pipe2(report, O_CLOEXEC) == 0) {
    pid = fork();
    if (pid == 0) become(request, variables.list, report[1]);
    int error = errno;
    close(report[1]);
    struct pollfd ready = {.fd = report[0], .events = POLLIN};
    struct failure failure;
    if (pid > 0 && poll(&ready, 1, EXEC_WITHIN_MS) > 0 && read(report[0], &failure, sizeof failure) == (ssize_t)sizeof failure) {
      *step = failure.step;
      error = failure.error;
      pid = -1; /* reaped as one that nobody knows */
    }
    close(report[0]);
    errno = error;
  }
  int error = errno;
  free(text);
  free(variables.list);
  errno = error;
  return pid;
}
