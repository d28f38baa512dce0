#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

/* The first process of an instance. When it ends, the kernel kills all others of it. */
#define MAX_EVENTS 32
/* It wakes up for that so often; awake for something else it looks, too, but no more often than that. */
#define FOLDER_MS 10000
#define FOLDER_AWAKE_MS 1000

struct machine M;

static uint64_t clock_us_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t boot_us(void) {
  return clock_us_of(CLOCK_BOOTTIME);
}

uint64_t steady_us(void) {
  return clock_us_of(CLOCK_MONOTONIC);
}

void note(const char *format, ...) {
  char line[512], when[32] = "";
  time_t now = time(NULL);
  struct tm parts;
  if (gmtime_r(&now, &parts) != NULL) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
  int length = snprintf(line, sizeof line, "%s instance: ", when);
  va_list arguments;
  va_start(arguments, format);
  length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
  va_end(arguments);
  if ((size_t)length > sizeof line - 2) length = (int)sizeof line - 2;
  line[length++] = '\n';
  ssize_t wrote = write(2, line, (size_t)length);
  (void)wrote;
}

/* Events that were taken together: one that is closed by another must not be called. */
static struct epoll_event events[MAX_EVENTS];
static int event_count;

bool watch_add(struct watch *watch, uint32_t wanted) {
  struct epoll_event event = {.events = wanted, .data.ptr = watch};
  return watch->fd >= 0 && epoll_ctl(M.epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void watch_change(struct watch *watch, uint32_t wanted) {
  struct epoll_event event = {.events = wanted, .data.ptr = watch};
  epoll_ctl(M.epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void watch_close(struct watch *watch) {
  epoll_ctl(M.epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  close(watch->fd);
  watch->fd = -1;
  for (int i = 0; i < event_count; i++) {
    if (events[i].data.ptr == watch) events[i].data.ptr = NULL;
  }
}

/* Root outside is nobody inside of a user namespace, and needs no socket to do what it likes. */
bool is_same_user(int fd) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

/* A process outside has no number in the process namespace of which this is the first one. Without such a namespace nobody can tell. */
bool is_outside(int fd) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return getpid() != 1 || peer.pid == 0;
}

int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(path);
  mode_t before = umask(077);
  bool listens = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0;
  umask(before);
  return listens ? fd : -1;
}

bool write_state(const char *name, const char *text) {
  char draft[96], path[96];
  snprintf(draft, sizeof draft, ".%s.new", name);
  snprintf(path, sizeof path, "%s", run_place(name));
  snprintf(draft, sizeof draft, "%s", run_place(draft));
  int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool whole = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  if (whole && rename(draft, path) == 0) return true;
  int error = errno;
  note("cannot write %s: %s", path, strerror(error));
  errno = error;
  return false;
}

void plain_signals(void) {
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(signal, &plain, NULL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) limits_look_now();
    if (pid == M.forker) ending_forker_gone(status);
    else requests_reaped(pid, status);
  }
}

static void take_signal(struct watch *watch, uint32_t mask) {
  (void)mask;
  struct signalfd_siginfo info;
  while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
    /* What runs inside may not end the machine by mistake. A sender outside has no number in a process namespace. */
    if (info.ssi_signo != SIGTERM) continue;
    if (M.conf.plain ? !is_member((pid_t)info.ssi_pid) : info.ssi_pid == 0) end_machine("stop", M.conf.grace_ms);
  }
  reap();
}

static struct watch signals = {.ready = take_signal, .fd = -1};

static void watch_signals(void) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGTERM);
  signals.fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  if (!watch_add(&signals, EPOLLIN)) fail_step("signals", "signalfd");
}

static int sooner(int a, int b) {
  return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Some file systems count no links of directories that are there, so both must say it. */
static bool is_gone(int folder) {
  static const char mark[] = " (deleted)";
  struct stat now;
  if (fstat(folder, &now) != 0 || now.st_nlink != 0) return false;
  char link[32], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, path, sizeof path);
  size_t tail = sizeof mark - 1;
  return length == sizeof path || (length >= (ssize_t)tail && memcmp(path + length - tail, mark, tail) == 0);
}

/* A directory that was removed has no name any more: nobody can find this instance, or end it. */
static int folder_look(void) {
  static uint64_t looked_us;
  uint64_t now = steady_us();
  if (looked_us == 0 || now - looked_us >= FOLDER_AWAKE_MS * 1000u) {
    if (is_gone(M.folder)) end_machine("its directory is gone", M.conf.grace_ms);
    looked_us = now;
  }
  return FOLDER_MS - (int)((now - looked_us) / 1000);
}

void init_run(const struct places *places, const char *identity, int report, bool requested) {
  M.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (M.epoll < 0) fail_step("start", "epoll");
  unlink(run_place("ended"));
  unlink(run_place("clean"));
  watch_signals();
  deadline_open();
  agent_open();
  requests_open(places->peers);
  if (!forker_start()) fail_step("start the forker", forker_place());
  /* Whoever calls the start off takes away `start`, and then looks for `init`: either it is found there, or the start is over here. */
  if (!write_state("init", identity)) fail_step("write", "/run/spawn/init");
  if (unlinkat(M.folder, "start", 0) != 0 && requested) fail_step("withdrawn", "its start");
  dprintf(report, "ready\t%s", identity);
  close(report);
  for (;;) {
    int wait = sooner(sooner(ending_step(), requests_expire()), sooner(limits_look(), freeze_look()));
    wait = sooner(wait, folder_look());
    event_count = epoll_wait(M.epoll, events, MAX_EVENTS, wait);
    for (int i = 0; i < event_count; i++) {
      struct watch *watch = events[i].data.ptr;
      if (watch != NULL) watch->ready(watch, events[i].events);
    }
    event_count = 0;
  }
}
