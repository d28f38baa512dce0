#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* Written by the child in the memory it shares with us until exec: a task whose program cannot be run never "started". */
static volatile struct {
  int step, error;
} failure;

struct launch {
  const struct run *run;
  char **env;
  const char *path; /* where to look for a program without a slash */
  char *pid_text;   /* gets the number of the process; NULL: nobody asked for it */
  int in, out, err;
  const struct binding *binding; /* NULL: any CPU */
  int group;                     /* a descriptor to join its cgroup by; -1: none */
};

static const char *find_path(char **env) {
  for (; *env != NULL; env++) {
    if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

/* Among what the run itself brought: that is written to. */
static char *find_pid_text(const struct run *run) {
  for (uint32_t i = 0; i < run->extra_count; i++) {
    char *entry = run->extra[i];
    if (strncmp(entry, PID_VARIABLE, strlen(PID_VARIABLE)) == 0 && strlen(entry) >= strlen(PID_VARIABLE) + PID_DIGITS) return entry + strlen(PID_VARIABLE);
  }
  return NULL;
}

static void write_pid(char *text, pid_t pid) {
  char digits[PID_DIGITS];
  int count = 0;
  for (; pid > 0; pid /= 10) digits[count++] = (char)('0' + pid % 10);
  while (count > 0) *text++ = digits[--count];
  *text = '\0';
}

/* execve, and like execvp a script without #! is given to the shell. Returns on failure only. */
static void try_exec(const struct launch *launch, const char *program) {
  execve(program, launch->run->argv, launch->env);
  if (errno != ENOEXEC) return;
  char **with_shell = launch->run->argv - 1;
  char *first = with_shell[1];
  with_shell[0] = "sh";
  with_shell[1] = (char *)program;
  execve("/bin/sh", with_shell, launch->env);
  with_shell[1] = first;
}

/* The rules of execvp: a name with a slash is a path; otherwise each directory of PATH in turn, and a file that is there but
   may not be run is reported rather than a missing one. */
static void exec_program(const struct launch *launch) {
  const char *name = launch->run->argv[0];
  if (*name == '\0') {
    errno = ENOENT;
    return;
  }
  if (strchr(name, '/') != NULL) {
    try_exec(launch, name);
    return;
  }
  char candidate[PATH_MAX];
  size_t name_length = strlen(name);
  bool denied = false;
  for (const char *from = launch->path;; from++) {
    const char *end = strchrnul(from, ':');
    size_t length = (size_t)(end - from);
    if (length + name_length + 2 <= sizeof candidate) {
      memcpy(candidate, from, length);
      if (length > 0) candidate[length++] = '/';
      memcpy(candidate + length, name, name_length + 1);
      try_exec(launch, candidate);
      if (errno == EACCES) denied = true;
      else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT) return;
    }
    if (*end == '\0') break;
    from = end;
  }
  errno = denied ? EACCES : ENOENT;
}

__attribute__((noreturn)) static void fail(enum step step) {
  failure.error = errno;
  failure.step = (int)step;
  _exit(127);
}

/* Runs between vfork and exec, on our memory: it may change nothing there but `failure`, its number and its own stack. */
__attribute__((noreturn)) static void become_task(const struct launch *launch) {
  const struct run *run = launch->run;
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != F.pid) _exit(127); /* died before the line above: nobody would kill this one */
  if (launch->pid_text != NULL) write_pid(launch->pid_text, getpid());
  if (dup2(launch->in, 0) < 0 || dup2(launch->out, 1) < 0 || dup2(launch->err, 2) < 0) fail(STEP_PIPE);
  if (chdir(run->cwd) != 0) fail(STEP_CWD);
  umask(run->umask == UMASK_INHERIT ? F.umask : (mode_t)(run->umask & 0777));
  setrlimit(RLIMIT_NOFILE, &F.files);
  if (launch->binding != NULL) cpus_apply(launch->binding);
  if (launch->group >= 0 && write(launch->group, "0", 1) != 1) fail(STEP_FORK);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  exec_program(launch);
  fail(STEP_EXEC);
}

__attribute__((noinline)) static pid_t launch_child(const struct launch *launch) {
  pid_t pid = vfork();
  if (pid == 0) become_task(launch);
  return pid;
}

/* Opened here and not in the child, because opening a FIFO waits for its writer, and we wait for the child. */
static int open_stdin(const struct run *run) {
  if (run->stdin_path[0] == '\0') return F.null_read;
  char path[PATH_MAX * 2];
  size_t cwd_length = run->stdin_path[0] == '/' ? 0 : strlen(run->cwd);
  size_t length = strlen(run->stdin_path);
  if (cwd_length + length + 2 > sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(path, run->cwd, cwd_length);
  if (cwd_length > 0) path[cwd_length++] = '/';
  memcpy(path + cwd_length, run->stdin_path, length + 1);
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

static void close_if_open(int fd) {
  if (fd >= 0) close(fd);
}

static void unwatch(int fd) {
  if (fd < 0) return;
  epoll_ctl(F.epoll, EPOLL_CTL_DEL, fd, NULL);
  close(fd);
}

static int watch(struct stream *stream, struct task *task, int fd) {
  stream->task = task;
  stream->fd = fd;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
  return epoll_ctl(F.epoll, EPOLL_CTL_ADD, fd, &event);
}

int start_process(struct task *task, enum step *step) {
  const struct run *run = task->run;
  int out[2] = {-1, -1}, err[2] = {-1, -1}, error = 0;
  struct launch launch = {.run = run, .out = F.null_write, .err = F.null_write, .group = -1};

  *step = STEP_STDIN;
  launch.in = open_stdin(run);
  if (launch.in < 0) return errno;
  error = copy_open(task, step);
  if (error != 0) goto done;
  *step = STEP_PIPE;
  if (task->job != NULL || task->copied[0] || task->copied[1]) {
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
      error = errno;
      goto done;
    }
    if (watch(&task->streams[0], task, out[0]) != 0 || watch(&task->streams[1], task, err[0]) != 0) {
      error = errno;
      goto done;
    }
    launch.out = out[1];
    launch.err = err[1];
  }
  launch.env = env_merge(run->env, run->extra, run->extra_count);
  launch.path = find_path(launch.env);
  launch.pid_text = find_pid_text(run);
  if (task->cpu_milli != 0) cpus_bind(task);
  launch.binding = task->binding;
  if (task->memory_bytes != 0) launch.group = memory_begin(task);
  failure.step = STEP_NONE;
  *step = STEP_FORK;
  task->started_us = now_us();
  task->pid = launch_child(&launch);
  if (task->pid < 0) {
    error = errno;
  } else if (failure.step != STEP_NONE) {
    *step = (enum step)failure.step;
    error = failure.error;
    while (waitpid(task->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }

done:
  if (launch.in != F.null_read) close(launch.in);
  close_if_open(out[1]);
  close_if_open(err[1]);
  close_if_open(launch.group);
  if (error != 0) {
    unwatch(out[0]);
    unwatch(err[0]);
    task->streams[0].fd = task->streams[1].fd = -1;
  }
  return error;
}
