#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forker.h"
#include "memory-limit.h"

/* One read takes what a pipe holds, also one that its task has enlarged to the usual maximum. */
#define READ_BYTES (1024 * 1024)

static uint8_t read_buffer[READ_BYTES];

struct task *task_find(uint64_t fence) {
  return (struct task *)map_get(&F.by_fence, fence);
}

static struct task *task_by_pid(pid_t pid) {
  struct node *node = map_get(&F.by_pid, (uint64_t)pid);
  return node == NULL ? NULL : (struct task *)((char *)node - offsetof(struct task, by_pid));
}

/* ---- output ---- */

static void close_stream(struct stream *stream) {
  if (stream->fd < 0) return;
  /* Not left to close: a child that is just being executed still has a copy, and epoll would tell us of a freed task. */
  epoll_ctl(F.epoll, EPOLL_CTL_DEL, stream->fd, NULL);
  close(stream->fd);
  stream->fd = -1;
}

static ssize_t read_once(struct stream *stream) {
  ssize_t got;
  do got = read(stream->fd, read_buffer, READ_BYTES);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    int number = stream == &stream->task->streams[0] ? 0 : 1;
    log_bytes(stream->task, number, read_buffer, (size_t)got);
    if (stream->task->copied[number]) copy_bytes(stream->task, number, read_buffer, (size_t)got);
  }
  return got;
}

void stream_read(struct stream *stream) {
  if (stream->fd < 0) return;
  ssize_t got = read_once(stream);
  if (got == 0 || (got < 0 && errno != EAGAIN)) close_stream(stream);
}

/* What the pipe holds now belongs to the attempt. A process that still writes must not keep us here, hence the bound. */
static void drain(struct stream *stream) {
  if (stream->fd < 0) return;
  ssize_t got, total = 0;
  while (total <= READ_BYTES && (got = read_once(stream)) > 0) total += got;
  close_stream(stream);
}

/* ---- start ---- */

static void free_task(struct task *task) {
  map_remove(&F.by_fence, &task->by_fence);
  if (task->run != NULL) {
    env_release(task->run->env);
    free(task->run);
  }
  free(task);
}

/* Of everything it held beside its processes. */
static void let_go(struct task *task) {
  copy_close(task);
  if (task->binding != NULL) cpus_release(task);
  if (task->limited) memory_end(task);
}

static bool start(struct task *task) {
  enum step step;
  log_begin(task);
  task->streams[0].fd = task->streams[1].fd = -1;
  task->copies[0] = task->copies[1] = -1;
  int error = start_process(task, &step);
  if (error != 0) {
    uint32_t segment;
    uint64_t offset;
    log_finish(task, &segment, &offset);
    let_go(task);
    event_spawn_failed(task->by_fence.key, step, error);
    free_task(task);
    return false;
  }
  env_release(task->run->env);
  free(task->run);
  task->run = NULL;
  task->state = TASK_LIVE;
  task->order = ++F.order;
  task->older = F.newest;
  if (F.newest != NULL) F.newest->newer = task;
  else F.oldest = task;
  F.newest = task;
  F.live_count++;
  map_put(&F.by_pid, &task->by_pid, (uint64_t)task->pid);
  task_arm(task);
  event_started(task);
  return true;
}

static void queue_pump(struct queue *queue) {
  while (queue->first != NULL && queue->live < queue->width) {
    struct task *task = queue->first;
    queue->first = task->next_queued;
    F.queued_count--;
    if (start(task)) queue->live++;
  }
  if (queue->first != NULL || queue->live > 0) return;
  map_remove(&F.queues, &queue->node);
  free(queue);
}

void task_run(struct task *task, uint32_t queue_id, uint32_t queue_width) {
  map_put(&F.by_fence, &task->by_fence, task->by_fence.key);
  if (queue_id == 0) {
    start(task);
    return;
  }
  struct queue *queue = (struct queue *)map_get(&F.queues, queue_id);
  if (queue == NULL) {
    queue = must_alloc(sizeof *queue);
    map_put(&F.queues, &queue->node, queue_id);
  }
  queue->width = queue_width;
  task->queue = queue;
  task->state = TASK_QUEUED;
  if (queue->first == NULL) queue->first = task;
  else queue->last->next_queued = task;
  queue->last = task;
  F.queued_count++;
  queue_pump(queue);
}

static void refuse_queued(struct task *task, enum refusal reason) {
  F.queued_count--;
  event_refused(task->by_fence.key, reason);
  free_task(task);
}

bool task_withdraw(struct task *task) {
  if (task->state != TASK_QUEUED) return false;
  struct queue *queue = task->queue;
  struct task **link = &queue->first, *before = NULL;
  while (*link != task) {
    before = *link;
    link = &before->next_queued;
  }
  *link = task->next_queued;
  if (queue->last == task) queue->last = before;
  refuse_queued(task, REFUSED_WITHDRAWN);
  queue_pump(queue);
  return true;
}

uint32_t tasks_refuse_queued(enum refusal reason) {
  uint32_t refused = 0;
  for (size_t i = 0; i < F.queues.bucket_count; i++) {
    for (struct node *node = F.queues.buckets[i], *next; node != NULL; node = next) {
      next = node->next;
      struct queue *queue = (struct queue *)node;
      while (queue->first != NULL) {
        struct task *task = queue->first;
        queue->first = task->next_queued;
        refuse_queued(task, reason);
        refused++;
      }
      queue_pump(queue);
    }
  }
  return refused;
}

/* ---- end ---- */

static void unlink_live(struct task *task) {
  if (task->older != NULL) task->older->newer = task->newer;
  else F.oldest = task->newer;
  if (task->newer != NULL) task->newer->older = task->older;
  else F.newest = task->older;
  F.live_count--;
}

void task_finish(struct task *task) {
  uint32_t segment;
  uint64_t offset;
  drain(&task->streams[0]);
  drain(&task->streams[1]);
  log_finish(task, &segment, &offset);
  let_go(task);
  event_ended(task, segment, offset);
  timer_clear(task);
  unlink_live(task);
  if (task->state == TASK_LINGERING) F.lingering_count--;
  struct queue *queue = task->queue;
  free_task(task);
  orphans_look_soon();
  if (queue == NULL) return;
  queue->live--;
  queue_pump(queue);
}

/* The id of a group is not given to a new process while the group has members, and we reap its last one ourselves. */
static bool group_lives(const struct task *task) {
  return kill(-task->pid, 0) == 0 || errno == EPERM;
}

static void main_ended(struct task *task) {
  task->wall_us = task_ran_us(task);
  map_remove(&F.by_pid, &task->by_pid);
  if (task->group != 0 && task->cause == CAUSE_NONE && memory_killed(task)) task->cause = CAUSE_MEMORY;
  /* A shell dies of TERM at once; the program it ran may still be writing its checkpoint, and has its grace. Whether anything is left
     of many tasks is looked at together: the list of children is long then. */
  if (task->killing == SIGTERM && (group_lives(task) || F.live_count > FEW_TASKS || orphans_of(task->by_fence.key))) {
    task->state = TASK_LINGERING;
    F.lingering_count++;
  } else {
    task_finish(task);
  }
}

int tasks_settle_if_due(void) {
  static uint64_t settled_us;
  if (F.lingering_count == 0) return -1;
  int pause_ms = orphans_pause_ms(settled_us);
  if (pause_ms > 0) return pause_ms;
  for (struct task *task = F.oldest, *next; task != NULL; task = next) {
    next = task->newer;
    if (task->state == TASK_LINGERING && !group_lives(task) && !orphans_of(task->by_fence.key)) task_finish(task);
  }
  settled_us = now_us();
  return -1;
}

void tasks_reap(void) {
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    pid_t pid = info.si_pid;
    struct task *task = task_by_pid(pid);
    /* Before the reaping, while the number of the group is certainly still its own. */
    if (task != NULL && task->killing != SIGTERM) kill(-pid, SIGKILL);
    int status;
    struct rusage usage;
    if (wait4(pid, &status, WNOHANG, &usage) != pid) continue;
    orphans_changed();
    if (task == NULL) {
      orphans_ended(pid);
      continue;
    }
    task->status = status;
    task->usage = usage;
    main_ended(task);
  }
}
