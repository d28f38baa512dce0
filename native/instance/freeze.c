#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>

#include "machine.h"

/* A process that forks while it is stopped leaves a child that is found the next time round. */
#define MOST_ROUNDS 200
#define LOOK_MS 1000

static struct stopped {
  pid_t pid;
  uint64_t started;
} *stopped;
static size_t count, room;

static bool is_ours(const struct process *process) {
  for (size_t i = 0; i < count; i++) {
    if (stopped[i].pid == process->pid && stopped[i].started == process->started) return true;
  }
  return false;
}

static void stop_one(const struct process *process, void *to) {
  size_t *fresh = to;
  /* Somebody else stopped it: it stays so when we let go. */
  if (process->state == 'T' || is_ours(process)) return;
  if (count == room) {
    size_t more = room == 0 ? 64 : room * 2;
    struct stopped *larger = realloc(stopped, more * sizeof *stopped);
    if (larger == NULL) return;
    stopped = larger;
    room = more;
  }
  if (kill(process->pid, SIGSTOP) != 0) return;
  stopped[count++] = (struct stopped){.pid = process->pid, .started = process->started};
  (*fresh)++;
}

static void stop_new_ones(void) {
  for (int round = 0; round < MOST_ROUNDS; round++) {
    size_t fresh = 0;
    each_process(stop_one, &fresh);
    if (fresh == 0) return;
  }
}

void freeze_all(void) {
  if (M.frozen || M.stopping) return;
  M.frozen = true;
  stop_new_ones();
}

/* Those that were found last first: a shell must not see its child stopped. */
void thaw_all(void) {
  if (!M.frozen) return;
  M.frozen = false;
  for (size_t i = count; i-- > 0;) {
    struct process process;
    if (read_process(stopped[i].pid, &process) && process.started == stopped[i].started) kill(stopped[i].pid, SIGCONT);
  }
  free(stopped);
  stopped = NULL;
  count = room = 0;
}

int freeze_look(void) {
  if (!M.frozen) return -1;
  static uint64_t next_us;
  uint64_t now = steady_us();
  if (now >= next_us) {
    stop_new_ones();
    next_us = now + LOOK_MS * 1000u;
  }
  return (int)((next_us - now) / 1000) + 1;
}
