#define _GNU_SOURCE
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "init-protocol.h"
#include "machine.h"

/* When everything ends, whoever lives: on the clock that counts suspend. The file `deadline` says it in microseconds of that clock. */

static uint32_t grace; /* from TERM to KILL then, ms: where money ends it, what is still paid for */

static void expired(struct watch *watch, uint32_t events) {
  (void)events;
  uint64_t expirations;
  if (read(watch->fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations) end_machine("deadline", grace);
}

static struct watch timer = {.ready = expired, .fd = -1};

void deadline_open(void) {
  timer.fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (!watch_add(&timer, EPOLLIN)) fail_step("timer", "of the deadline");
  deadline_set(M.conf.ttl_ms == 0 ? INIT_NEVER : M.conf.ttl_ms, M.conf.grace_ms);
}

void deadline_set(uint64_t ms, uint32_t grace_ms) {
  grace = grace_ms < M.conf.grace_ms ? grace_ms : M.conf.grace_ms;
  struct itimerspec when = {0};
  char text[32] = "never\n";
  if (ms < INT64_MAX / 1000) {
    uint64_t now = boot_us(), at = ms * 1000 < INT64_MAX - now ? now + ms * 1000 : INT64_MAX;
    if (at == 0) at = 1;
    when.it_value.tv_sec = (time_t)(at / 1000000);
    when.it_value.tv_nsec = (long)(at % 1000000) * 1000;
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)at);
  }
  timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
  write_state("deadline", text);
}
