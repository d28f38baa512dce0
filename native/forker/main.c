#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

struct forker F = {.log_dir = -1};

/* What epoll tells besides a stream: small numbers, which no pointer is. */
enum source { FROM_INPUT = 0, FROM_OUTPUT = 1, FROM_SIGNALS = 2, FROM_LEASE = 3, SOURCES };

/* What Linux allows by default: fs.nr_open, proc(5). */
#define MOST_FILES 1048576u
#define MAX_EVENTS 256
#define STOP_WITHIN_US 5000000
#define SETTLE_EVERY_MS 50

uint64_t clock_us(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t now_us(void) {
  return clock_us(CLOCK_MONOTONIC);
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("forker: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  static bool dying;
  if (dying) _exit(EXIT_PROTOCOL);
  dying = true;
  /* Nothing is reported any more: the worker sees the exit. */
  for (const struct task *task = F.oldest; task != NULL; task = task->newer) kill(-task->pid, SIGKILL);
  for (uint64_t until = now_us() + STOP_WITHIN_US; orphans_kill_all() && now_us() < until; usleep(1000)) {
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  }
  _exit(EXIT_PROTOCOL);
}

static void watch(int fd, uint64_t source) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = source};
  if (fd < 0 || epoll_ctl(F.epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("cannot watch descriptor %d: %s", fd, strerror(errno));
}

/* Every disposition is the default one and every signal is blocked here, so that a task only has to empty its mask; what we
   want to know comes through signalfd, and writing to a closed pipe gives EPIPE. */
static void take_signals(void) {
  sigset_t all, wanted;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(signal, &plain, NULL);
  }
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGTERM);
  F.signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  watch(F.signals, FROM_SIGNALS);
}

static void set_up(void) {
  F.pid = getpid();
  F.capabilities = CAN_PDEATHSIG | CAN_EXACT_USAGE;
  for (int fd = 0; fd < 3; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) _exit(EXIT_PROTOCOL);
  }
#ifdef SYS_close_range
  bool closed = syscall(SYS_close_range, 3u, ~0u, 0u) == 0;
#else
  bool closed = false;
#endif
  for (int fd = 3; !closed && fd < 4096; fd++) close(fd);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0) F.capabilities |= CAN_SUBREAPER;
  F.umask = umask(077);
  getrlimit(RLIMIT_NOFILE, &F.files);
  /* Each task needs two. Root may have more than it was given; tasks get what there was. */
  struct rlimit most = {.rlim_cur = MOST_FILES, .rlim_max = MOST_FILES};
  if (F.files.rlim_max >= MOST_FILES || setrlimit(RLIMIT_NOFILE, &most) != 0) {
    most.rlim_cur = most.rlim_max = F.files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
  }
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
  F.epoll = epoll_create1(EPOLL_CLOEXEC);
  F.null_read = open("/dev/null", O_RDONLY | O_CLOEXEC);
  F.null_write = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (F.epoll < 0 || F.null_read < 0 || F.null_write < 0) die("cannot start: %s", strerror(errno));
  cpus_open();
  memory_open();
  take_signals();
  watch(0, FROM_INPUT);
  F.lease_timers[0] = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  F.lease_timers[1] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (F.lease_timers[0] >= 0) {
    F.capabilities |= CAN_BOOTTIME;
    watch(F.lease_timers[0], FROM_LEASE);
  }
  watch(F.lease_timers[1], FROM_LEASE);
}

static void read_signals(void) {
  struct signalfd_siginfo infos[16];
  ssize_t got;
  while ((got = read(F.signals, infos, sizeof infos)) > 0) {
    for (size_t i = 0; i < (size_t)got / sizeof infos[0]; i++) {
      if (infos[i].ssi_signo == SIGTERM) F.input_ended = true;
    }
  }
}

/* The worker has closed our input, or is dead: nothing that we started may outlive us. */
static void stop(void) {
  F.stopping = true;
  F.stop_by_us = now_us() + STOP_WITHIN_US;
  epoll_ctl(F.epoll, EPOLL_CTL_DEL, 0, NULL);
  tasks_refuse_queued(REFUSED_QUITTING);
  tasks_kill_all(CAUSE_SHUTDOWN, 0);
}

__attribute__((noreturn)) static void leave(void) {
  struct pollfd writable = {.fd = 1, .events = POLLOUT};
  for (uint64_t until = now_us() + STOP_WITHIN_US; now_us() < until;) {
    output_flush();
    if (output_waiting() == 0 || poll(&writable, 1, 100) < 0) break;
  }
  memory_leave();
  _exit(0);
}

static int min_wait(int a, int b) {
  if (a < 0) return b;
  return b < 0 || a < b ? a : b;
}

static int wait_for(bool more_input, int look_ms) {
  if (more_input) return 0;
  int wait = min_wait(look_ms, lease_wait_ms());
  const struct task *next = timer_first();
  if (next != NULL) {
    uint64_t now = now_us(), left_ms = next->due_us > now ? (next->due_us - now + 999) / 1000 : 0;
    wait = min_wait(wait, left_ms > 3600000 ? 3600000 : (int)left_ms);
  }
  if (F.lingering_count > 0) wait = min_wait(wait, SETTLE_EVERY_MS);
  if (F.stopping) wait = min_wait(wait, 10);
  return wait;
}

static void take_events(const struct epoll_event *events, int count, bool seen[SOURCES]) {
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 < SOURCES) seen[events[i].data.u64] = true;
    else stream_read(events[i].data.ptr); /* tasks are freed only after all of these */
  }
}

int main(void) {
  set_up();
  event_ready();
  output_flush();
  struct epoll_event events[MAX_EVENTS];
  bool more_input = false;
  int look_ms = -1;
  for (;;) {
    lease_note_round();
    int count = epoll_wait(F.epoll, events, MAX_EVENTS, wait_for(more_input, look_ms));
    bool seen[SOURCES] = {false};
    orphans_changed();
    take_events(events, count, seen);
    if (seen[FROM_SIGNALS]) {
      read_signals();
      tasks_reap();
    }
    if (seen[FROM_LEASE]) {
      uint64_t expirations;
      for (int i = 0; i < 2; i++) while (read(F.lease_timers[i], &expirations, 8) > 0) continue;
    }
    if (seen[FROM_INPUT] && !F.stopping) input_read();
    if (!F.stopping) more_input = input_process();
    tasks_expire();
    lease_check();
    look_ms = min_wait(tasks_settle_if_due(), min_wait(memory_look_if_due(), orphans_look_if_due()));
    if (F.quitting && F.live_count == 0 && F.queued_count == 0 && !more_input) F.input_ended = true;
    if ((F.input_ended || output_broken()) && !F.stopping) {
      more_input = false;
      stop();
    }
    output_flush();
    if (F.stopping && ((F.live_count == 0 && !orphans_kill_all()) || now_us() > F.stop_by_us)) leave();
  }
}
