#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* A process that forks while it is stopped leaves a child that is found the next time round. */
#define MOST_ROUNDS 50

static struct members family;
static struct task *of;

static void add_orphan(pid_t pid, uint64_t fence) {
  if (fence == of->by_fence.key) tree_add(&family, pid, of);
}

/* Its main process, those whose parent died, and as it is read on all below them: parents before their children. */
static void find_roots(struct task *task) {
  family.count = 0;
  of = task;
  if (task->state == TASK_LIVE) tree_add(&family, task->pid, task);
  orphans_each(add_orphan);
}

/* What is below a process that stands still stays there and keeps its number. */
static size_t stop_family(struct task *task) {
  find_roots(task);
  for (size_t i = 0; i < family.count; i++) {
    pid_t pid = family.at[i].pid;
    if (getpgid(pid) != task->pid) kill(pid, SIGSTOP);
    tree_add_children(&family, family.at[i], false);
  }
  return family.count;
}

static void stop(struct task *task) {
  kill(-task->pid, SIGSTOP);
  size_t before = 0;
  for (int round = 0; round < MOST_ROUNDS; round++) {
    size_t count = stop_family(task);
    if (count == before) return;
    before = count;
    orphans_changed();
  }
}

/* Those below go on first: a shell must not see its child stopped. */
static void go_on(struct task *task) {
  find_roots(task);
  for (size_t i = 0; i < family.count; i++) tree_add_children(&family, family.at[i], false);
  for (size_t i = family.count; i-- > 0;) {
    if (getpgid(family.at[i].pid) != task->pid) kill(family.at[i].pid, SIGCONT);
  }
  kill(-task->pid, SIGCONT);
}

void task_suspend(struct task *task) {
  if (task->state != TASK_LIVE || task->killing != 0 || task->suspended) return;
  task->suspended = true;
  task->suspended_us = now_us();
  timer_clear(task);
  task->frozen = cgroup_freeze(task, true);
  if (!task->frozen) stop(task);
}

void task_resume(struct task *task) {
  if (!task->suspended) return;
  if (task->frozen) cgroup_freeze(task, false);
  else go_on(task);
  task->stood_us += now_us() - task->suspended_us;
  task->suspended = task->frozen = false;
  if (task->killing == 0) task_arm(task);
}

uint64_t task_ran_us(const struct task *task) {
  uint64_t now = now_us(), standing = task->suspended ? now - task->suspended_us : 0;
  return now - task->started_us - task->stood_us - standing;
}
