#define _GNU_SOURCE
#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>

#include "forker.h"

/* How far the clock that counts suspend was ahead of the one that does not, when the loop last went to sleep: what it has
   gained since is a suspend that may lie between sending and reading a LEASE. */
static uint64_t ahead_at_sleep;

static uint64_t ahead_now(void) {
  uint64_t boot = clock_us(CLOCK_BOOTTIME), monotonic = now_us();
  return boot > monotonic ? boot - monotonic : 0;
}

/* Should we be stuck ourselves (stopped, or waiting for a program on a file system that does not answer), the kernel kills us
   this long after everything should have been killed; our tasks' main processes die with us, by their PDEATHSIG. On the clock
   that does not count suspend, so that after a resume we come first. */
#define BACKSTOP_US 1000000
static timer_t backstop;
static bool backstop_made, backstop_armed;

static void set_backstop(uint64_t after_us) {
  if (!backstop_made) {
    struct sigevent kill_us = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    if (timer_create(CLOCK_MONOTONIC, &kill_us, &backstop) != 0) return;
    backstop_made = true;
  }
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)(after_us / 1000000), .tv_nsec = (long)(after_us % 1000000) * 1000}};
  timer_settime(backstop, 0, &when, NULL);
  backstop_armed = after_us != 0;
}

void lease_note_round(void) {
  if (F.leased) ahead_at_sleep = ahead_now();
}

void lease_set(uint64_t ms, int clock_kind, uint32_t grace_ms, uint64_t sent_at_us) {
  int clock = clock_kind == CLOCK_KIND_BOOTTIME && (F.capabilities & CAN_BOOTTIME) != 0 ? CLOCK_BOOTTIME : CLOCK_MONOTONIC;
  uint64_t age = 0, monotonic = now_us();
  if (sent_at_us != 0 && sent_at_us < monotonic) age = monotonic - sent_at_us;
  if (clock == CLOCK_BOOTTIME && ahead_at_sleep != 0) {
    uint64_t ahead = ahead_now();
    if (ahead > ahead_at_sleep + 1000) age += ahead - ahead_at_sleep;
  }
  uint64_t left = ms * 1000 > age ? ms * 1000 - age : 0;
  F.lease_clock = clock;
  F.lease_at_us = clock_us(clock) + left;
  F.lease_grace_ms = grace_ms;
  if (left > 0) {
    F.leased = true;
    F.lease_expired = false;
    ahead_at_sleep = ahead_now();
    /* timerfd wakes us right after a resume; the timeout of epoll_wait would sleep on. */
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(F.lease_at_us / 1000000), .tv_nsec = (long)(F.lease_at_us % 1000000) * 1000}};
    struct itimerspec never = {0};
    bool boot = clock == CLOCK_BOOTTIME;
    timerfd_settime(F.lease_timers[0], TFD_TIMER_ABSTIME, boot ? &when : &never, NULL);
    timerfd_settime(F.lease_timers[1], TFD_TIMER_ABSTIME, boot ? &never : &when, NULL);
    set_backstop(left + (uint64_t)grace_ms * 1000 + BACKSTOP_US);
  } else if (!F.lease_expired) {
    F.leased = true; /* too old on arrival: lease_check ends it */
  }
}

/* Only refuses: a newer LEASE may wait behind the RUN, so the killing is left to lease_check, after all input of a round. */
bool lease_refuses(void) {
  return F.leased && (F.lease_expired || clock_us(F.lease_clock) >= F.lease_at_us);
}

static uint64_t grace_end_us(void) {
  return F.lease_at_us + (uint64_t)F.lease_grace_ms * 1000;
}

int lease_wait_ms(void) {
  if (!backstop_armed || !F.lease_expired) return -1;
  uint64_t now = clock_us(F.lease_clock), end = grace_end_us();
  return end > now ? (int)((end - now) / 1000) + 1 : 0;
}

void lease_check(void) {
  if (!F.leased) return;
  uint64_t now = clock_us(F.lease_clock);
  if (F.lease_expired) {
    if (backstop_armed && (F.live_count == 0 || now >= grace_end_us())) set_backstop(0);
    return;
  }
  if (now < F.lease_at_us) return;
  F.lease_expired = true;
  uint32_t refused = tasks_refuse_queued(REFUSED_LEASE);
  uint32_t killing = tasks_kill_all(CAUSE_LEASE, F.lease_grace_ms);
  event_lease_expired(killing, refused);
}
