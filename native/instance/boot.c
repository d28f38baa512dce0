#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"

/* How long user-data may go on after the completion signal, before the attempt ends without it. */
#define AFTER_COMPLETION_MS 30000
/* How long what runs has to end by a signal that was passed on, when the completion signal has decided already. */
#define AFTER_BOTH_MS 3000

/* How often a completion file that a program made by hand is looked for. */
#define LOOK_EVERY_MS 1000

static struct {
  int signals;
  struct watch watch;
  struct completion completion;
  struct running running;
  int ended_by; /* the signal by which this attempt was told to end; 0: none */
} B;

static bool is_an_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

__attribute__((noreturn)) static void die_by(int number) {
  sigset_t only;
  signal(number, SIG_DFL);
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, NULL);
  _exit(128 + number);
}

__attribute__((noreturn)) static void end_with(const struct outcome *outcome) {
  if (outcome->signal != 0) die_by(outcome->signal);
  exit(outcome->code);
}

/* The completion signal wins; else an end that was not a stop or a cancellation decides. */
__attribute__((noreturn)) static void decide(const struct outcome *outcome) {
  (void)see_completion(&B.watch, &B.completion, true);
  if (B.completion.given) {
    note_decided();
    exit(B.completion.failed ? 1 : 0);
  }
  if (B.ended_by != SIGTERM) note_decided();
  end_with(outcome);
}

static void wait_for_events(int timeout_ms) {
  struct pollfd watched[] = {
    {.fd = B.signals, .events = POLLIN},
    {.fd = B.watch.word, .events = POLLIN},
    {.fd = B.running.how == THERE ? B.running.channel.fd : -1, .events = POLLIN},
  };
  if (poll(watched, COUNT_OF(watched), timeout_ms) < 0 && errno != EINTR) fail(EXIT_FILES, "cannot wait: %s", strerror(errno));
  for (int number; (number = next_signal(B.signals)) != 0;) {
    if (!is_passed_on(number)) continue;
    if (B.ended_by == 0 && is_an_end(number)) B.ended_by = number;
    pass_on(&B.running, number);
  }
}

/* Until what runs has ended. `patient`: also long after the completion signal. False: that signal was given and the time after it is over. */
static bool await_end(struct outcome *outcome, bool patient) {
  uint64_t given_at = 0, both_at = 0;
  while (!has_ended(&B.running, outcome)) {
    uint64_t now = monotonic_ms(), until = UINT64_MAX;
    if (see_completion(&B.watch, &B.completion, false)) {
      if (given_at == 0) given_at = now;
      if (both_at == 0 && B.ended_by != 0) both_at = now;
      if (!patient) until = given_at + AFTER_COMPLETION_MS;
      if (both_at != 0) until = both_at + AFTER_BOTH_MS;
      if (now >= until) return false;
    }
    /* With a command its end is soon enough to look for the file. */
    wait_for_events(until != UINT64_MAX ? (int)(until - now) : patient || B.completion.given ? -1 : LOOK_EVERY_MS);
  }
  return true;
}

static void run_user_data(bool work) {
  char *path = etc_path("user-data");
  if (access(path, F_OK) != 0 || has_run_user_data()) return;
  struct outcome outcome = {0};
  if (start_user_data(&B.running, path, &outcome.code) && !await_end(&outcome, !work)) decide(&outcome);
  free(path);
  if (B.ended_by != 0) decide(&(struct outcome){.signal = B.ended_by});
  note_user_data(&outcome);
  (void)see_completion(&B.watch, &B.completion, true);
  if (B.completion.given || (outcome.code == 0 && outcome.signal == 0)) return;
  if (outcome.signal != 0) say("user-data was ended by signal %d (%s)", outcome.signal, strsignal(outcome.signal));
  else say("user-data ended with exit code %d", outcome.code);
  if (!work) {
    say("so the command is not run");
    decide(&outcome);
  }
  say("the instance goes on until `spored complete`, or the end of its lifetime");
}

/* What a shell, or this program, ends with when there is no such program. */
#define NOT_FOUND 127

/* A program that lies in the /tmp of the machine is not there, and nothing else would say why. */
static void explain_not_found(char **argv, const struct outcome *outcome) {
  if (outcome->signal != 0 || outcome->code != NOT_FOUND || !has_own_tmp()) return;
  for (char **word = argv; *word != NULL; word++) {
    if (strstr(*word, "/tmp/") == NULL) continue;
    say("an instance has a /tmp of its own: of that of the machine only the working directory (--cwd) is there");
    return;
  }
}

int run_boot(int argc, char **argv) {
  int operands = read_options(argc, argv, NULL, 0, true);
  must_be_inside();
  signal(SIGPIPE, SIG_DFL);
  B.signals = take_signals();
  bool work = operands == 0;
  forget_decided(work);
  B.watch = watch_completion();
  struct outcome outcome = {0};
  if (see_completion(&B.watch, &B.completion, true)) decide(&outcome);
  run_user_data(work);
  if (work) {
    while (!see_completion(&B.watch, &B.completion, false)) {
      if (B.ended_by != 0) die_by(B.ended_by);
      wait_for_events(LOOK_EVERY_MS);
    }
    decide(&outcome);
  }
  if (B.completion.given) decide(&outcome);
  if (!start_command(&B.running, argv, &outcome.code)) decide(&outcome);
  if (await_end(&outcome, true)) explain_not_found(argv, &outcome);
  decide(&outcome);
}
