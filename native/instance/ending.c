#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

/* The end of an instance: TERM to all of the user's, KILL to what is left after the grace, the forker reports its last ends and leaves, the
   agent gets them, and the init ends: the kernel then kills whatever there is. */
#define FORKER_WITHIN_US 6000000u
#define AGENT_WITHIN_US 2000000u
/* Without a process namespace only: else the kernel sees to it. */
#define LEFT_WITHIN_US 10000000u
/* Looks are dear with a thousand instances that end: each waits twice as long as the one before. */
#define MOST_LOOK_MS 100

static enum { RUNNING, ASKED, KILLED, FORKER_LEAVES, LAST_WORDS } phase;
static uint64_t until_us;
static int look_ms = 1;
static char reason[200];

void end_machine(const char *why, uint64_t grace_ms) {
  uint64_t until = steady_us() + grace_ms * 1000;
  if (phase == ASKED && until < until_us) until_us = until;
  if (phase != RUNNING) return;
  note("ends: %s", why);
  snprintf(reason, sizeof reason, "%s\n", why);
  write_state("ended", reason);
  agent_say_ending(why);
  M.stopping = true;
  phase = ASKED;
  until_us = until;
  if (grace_ms > 0) signal_all(SIGTERM);
  /* A stopped process would not see it. */
  thaw_all();
  if (grace_ms > 0) signal_all(SIGCONT);
}

__attribute__((noreturn)) static void leave(void) {
  limits_close();
  _exit(0);
}

static void next(int to, uint64_t within_us) {
  phase = to;
  look_ms = 1;
  until_us = steady_us() + within_us;
}

int ending_step(void) {
  uint64_t now = steady_us();
  if (phase == RUNNING) return -1;
  if (phase == ASKED && (now >= until_us || count_processes() == 0)) next(KILLED, FORKER_WITHIN_US);
  if (phase == KILLED) {
    /* Until none is left: one may fork while the others are killed. */
    size_t left = signal_all(SIGKILL);
    if (left == 0 || now >= until_us) {
      forker_close_input();
      next(FORKER_LEAVES, FORKER_WITHIN_US);
    }
  }
  if (phase == FORKER_LEAVES && ((M.forker == 0 && forker_is_silent()) || now >= until_us)) next(LAST_WORDS, AGENT_WITHIN_US);
  if (phase == LAST_WORDS && (agent_is_idle() || now >= until_us)) {
    /* What is left is killed before the group is removed. */
    end_all_that_is_left(LEFT_WITHIN_US);
    leave();
  }
  look_ms = look_ms * 2 > MOST_LOOK_MS ? MOST_LOOK_MS : look_ms * 2;
  uint64_t left_ms = until_us > now ? (until_us - now) / 1000 + 1 : 1;
  return (uint64_t)look_ms < left_ms ? look_ms : (int)left_ms;
}

void ending_forker_gone(int status) {
  M.forker = 0;
  if (phase != RUNNING) return;
  char why[100];
  if (WIFSIGNALED(status)) snprintf(why, sizeof why, "the forker was killed by signal %d", WTERMSIG(status));
  else snprintf(why, sizeof why, "the forker left with %d", WEXITSTATUS(status));
  end_machine(why, M.conf.grace_ms);
}
