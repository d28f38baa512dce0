#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forker.h"

/* Events wait here while the worker does not read; input.c refuses runs long before this limit. */
#define MAX_WAITING_BYTES (256u * 1024 * 1024)
#define KEEP_BYTES (1024u * 1024)

static uint8_t *buffer;
static size_t room, start, end;
static bool watching, broken;

static uint8_t *frame(enum event type, size_t payload) {
  size_t bytes = 5 + payload;
  if (end + bytes > room) {
    if (start > 0) {
      memmove(buffer, buffer + start, end - start);
      end -= start;
      start = 0;
    }
    if (end + bytes > MAX_WAITING_BYTES) die("the worker does not read its events");
    if (end + bytes > room) {
      room = room == 0 ? 64 * 1024 : room * 2;
      buffer = must_realloc(buffer, room);
    }
  }
  uint8_t *to = put_u32(buffer + end, (uint32_t)(1 + payload));
  *to++ = (uint8_t)type;
  end += bytes;
  return to;
}

size_t output_waiting(void) {
  return end - start;
}

bool output_broken(void) {
  return broken;
}

static void watch(bool wanted) {
  if (wanted == watching) return;
  watching = wanted;
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 1};
  epoll_ctl(F.epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, 1, &event);
}

void output_flush(void) {
  while (start < end && !broken) {
    ssize_t wrote = write(1, buffer + start, end - start);
    if (wrote >= 0) {
      start += (size_t)wrote;
    } else if (errno == EAGAIN) {
      watch(true);
      return;
    } else if (errno != EINTR) {
      broken = true;
    }
  }
  start = end = 0;
  if (room > KEEP_BYTES) {
    free(buffer);
    buffer = NULL;
    room = 0;
  }
  watch(false);
}

void event_ready(void) {
  uint8_t *to = frame(EVENT_READY, 11);
  to = put_u16(to, PROTOCOL_VERSION);
  *to++ = KIND_NATIVE;
  to = put_u32(to, F.capabilities);
  put_u32(to, (uint32_t)F.pid);
}

void event_started(const struct task *task) {
  uint8_t *to = frame(EVENT_STARTED, 24);
  to = put_u64(to, task->by_fence.key);
  to = put_u32(to, (uint32_t)task->pid);
  to = put_u32(to, task->start_segment);
  put_u64(to, task->start_offset);
}

static uint64_t micros(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

void event_ended(const struct task *task, uint32_t end_segment, uint64_t end_offset) {
  bool signalled = WIFSIGNALED(task->status);
  uint64_t dropped = task->dropped[0] + task->dropped[1], lost = task->lost[0] + task->lost[1];
  uint8_t *to = frame(EVENT_ENDED, 116);
  to = put_u64(to, task->by_fence.key);
  to = put_u32(to, (uint32_t)task->pid);
  *to++ = signalled;
  *to++ = (uint8_t)(signalled ? WTERMSIG(task->status) : WEXITSTATUS(task->status));
  *to++ = signalled && WCOREDUMP(task->status);
  *to++ = task->cause;
  to = put_u32(to, END_EXACT_USAGE | (dropped > 0 ? END_CUT : 0) | (lost > 0 ? END_LOST : 0));
  to = put_u64(to, task->wall_us);
  to = put_u64(to, micros(task->usage.ru_utime));
  to = put_u64(to, micros(task->usage.ru_stime));
  to = put_u64(to, (uint64_t)task->usage.ru_maxrss);
  to = put_u32(to, task->start_segment);
  to = put_u64(to, task->start_offset);
  to = put_u32(to, end_segment);
  to = put_u64(to, end_offset);
  to = put_u64(to, task->kept[0]);
  to = put_u64(to, task->kept[1]);
  to = put_u64(to, dropped);
  to = put_u64(to, lost);
  put_u64(to, task->copy_lost);
}

void event_spawn_failed(uint64_t fence, enum step step, int error) {
  uint8_t *to = frame(EVENT_SPAWN_FAILED, 13);
  to = put_u64(to, fence);
  *to++ = (uint8_t)step;
  put_u32(to, (uint32_t)error);
}

void event_refused(uint64_t fence, enum refusal reason) {
  uint8_t *to = frame(EVENT_REFUSED, 9);
  to = put_u64(to, fence);
  *to = (uint8_t)reason;
}

void event_lease_expired(uint32_t killing, uint32_t refused) {
  put_u32(put_u32(frame(EVENT_LEASE_EXPIRED, 8), killing), refused);
}
