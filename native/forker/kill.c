#define _GNU_SOURCE
#include <signal.h>

#include "forker.h"

static void signal_group(const struct task *task, int signal) {
  kill(-task->pid, signal);
  if (signal == SIGTERM) kill(-task->pid, SIGCONT); /* a stopped process would not see it */
  orphans_signal(task->by_fence.key, task->pid, signal);
}

static void kill_now(struct task *task) {
  task->killing = SIGKILL;
  timer_clear(task);
  signal_group(task, SIGKILL);
  task_resume(task);
  if (task->state == TASK_LINGERING) task_finish(task);
}

void task_kill(struct task *task, enum cause cause, uint64_t grace_ms) {
  if (task_withdraw(task)) return;
  if (task->cause == CAUSE_NONE) task->cause = (uint8_t)cause;
  uint64_t due_us = now_us() + grace_ms * 1000;
  if (grace_ms == 0) {
    kill_now(task);
  } else if (task->killing == 0) {
    task->killing = SIGTERM;
    signal_group(task, SIGTERM);
    task_resume(task);
    timer_set(task, due_us);
  } else if (task->killing == SIGTERM && due_us < task->due_us) {
    timer_set(task, due_us);
  }
}

void task_signal(const struct task *task, int signal, bool main_only) {
  if (task->suspended && signal == SIGCONT) return; /* it stays so until it is resumed */
  if (!main_only && task->state != TASK_QUEUED) kill(-task->pid, signal);
  if (main_only && task->state == TASK_LIVE) kill(task->pid, signal);
}

uint32_t tasks_kill_all(enum cause cause, uint64_t grace_ms) {
  uint32_t count = 0;
  for (struct task *task = F.oldest, *next; task != NULL; task = next) {
    next = task->newer;
    count++;
    task_kill(task, cause, grace_ms);
  }
  return count;
}

void task_arm(struct task *task) {
  if (task->limit_us == 0 || task->suspended) {
    timer_clear(task);
    return;
  }
  uint64_t after_us = task->limit_us;
  if (task->warn_signal != 0) after_us = task->warn_before_us < after_us ? after_us - task->warn_before_us : 0;
  timer_set(task, task->started_us + task->stood_us + after_us);
}

void task_limit(struct task *task, uint64_t limit_us) {
  if (task->killing != 0) return;
  task->limit_us = limit_us;
  if (task->state == TASK_LIVE) task_arm(task);
}

void tasks_expire(void) {
  uint64_t now = now_us();
  for (struct task *task = timer_first(); task != NULL && task->due_us <= now; task = timer_first()) {
    if (task->killing != 0) {
      kill_now(task);
    } else if (task_ran_us(task) >= task->limit_us) {
      task_kill(task, CAUSE_TIME_LIMIT, task->grace_ms);
    } else {
      kill(task->warn_main_only ? task->pid : -task->pid, task->warn_signal);
      task->warn_signal = 0;
      task_arm(task);
    }
  }
}
