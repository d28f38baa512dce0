#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "forker.h"
#include "memory-limit.h"

/* Tasks with a memory limit: held by the kernel in a group of their own where we may make groups, otherwise looked at. */
#define LOOK_EVERY_US 100000
/* Looking may take a twentieth of a processor: counted in our own time, for on a busy machine a look takes long and costs no more. */
#define REST_FOR_EACH_US 20
#define TIDY_EVERY_MS 50

static uint64_t next_look_us;
static bool untidy;

void memory_open(void) {
  if (cgroup_open()) F.capabilities |= CAN_MEMORY_CGROUP;
  else if (tree_can()) F.capabilities |= CAN_MEMORY_SAMPLED;
}

int memory_begin(struct task *task) {
  task->limited = true;
  if (F.limited_count++ == 0) next_look_us = now_us() + LOOK_EVERY_US;
  return (F.capabilities & CAN_MEMORY_CGROUP) != 0 ? cgroup_make(task) : -1;
}

bool memory_killed(const struct task *task) {
  return cgroup_oom_killed(task);
}

void memory_end(struct task *task) {
  task->limited = false;
  F.limited_count--;
  if (task->group == 0) return;
  cgroup_drop(task);
  untidy = true;
}

static void look(void) {
  size_t sampled = 0;
  for (struct task *task = F.oldest; task != NULL; task = task->newer) {
    task->used_bytes = 0;
    if (task->limited && task->group == 0) sampled++;
  }
  if (sampled > 0 && tree_can()) rss_sample();
  for (struct task *task = F.oldest, *next; task != NULL; task = next) {
    next = task->newer;
    if (!task->limited || task->killing == SIGKILL) continue;
    /* The kernel kills one process; the others of the task go with it. */
    bool over = task->group != 0 ? cgroup_oom_killed(task) : task->used_bytes > task->memory_bytes;
    if (over) task_kill(task, CAUSE_MEMORY, 0);
  }
}

int memory_look_if_due(void) {
  if (untidy) untidy = cgroup_tidy();
  int tidy_ms = untidy ? TIDY_EVERY_MS : -1;
  if (F.limited_count == 0) return tidy_ms;
  uint64_t now = now_us();
  if (now >= next_look_us) {
    uint64_t before = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    look();
    uint64_t rest = (clock_us(CLOCK_PROCESS_CPUTIME_ID) - before) * REST_FOR_EACH_US;
    now = now_us();
    next_look_us = now + (rest > LOOK_EVERY_US ? rest : LOOK_EVERY_US);
  }
  int look_ms = (int)((next_look_us - now) / 1000) + 1;
  return tidy_ms >= 0 && tidy_ms < look_ms ? tidy_ms : look_ms;
}

void memory_leave(void) {
  cgroup_leave();
}
