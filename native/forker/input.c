#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forker.h"

#define READ_BYTES (256 * 1024)
/* Starting a process takes us about 0.2 ms; ends, output and kills are looked after in between. */
#define STARTS_A_ROUND 8
/* While so many event bytes wait for the worker, runs are refused: they would only add more. */
#define BACKLOG_BYTES (64u * 1024 * 1024)

/* So much is taken in while starting processes is slower than asking for it. */
#define MAX_UNREAD_BYTES (2 * MAX_FRAME_BYTES)

static uint8_t *buffer;
static size_t room, start, end;

/* What is left of the payload being decoded. Reading past its end is a malformed frame. */
struct cursor {
  const uint8_t *at, *end;
};

static const uint8_t *take(struct cursor *cursor, size_t bytes) {
  if ((size_t)(cursor->end - cursor->at) < bytes) die("malformed frame");
  const uint8_t *at = cursor->at;
  cursor->at += bytes;
  return at;
}
static uint8_t take_u8(struct cursor *cursor) {
  return *take(cursor, 1);
}
static uint32_t take_u32(struct cursor *cursor) {
  return get_u32(take(cursor, 4));
}
static uint64_t take_u64(struct cursor *cursor) {
  uint64_t value = get_u64(take(cursor, 8));
  if (value >> 53 != 0) die("malformed frame: number above 2^53");
  return value;
}
static struct text take_text(struct cursor *cursor) {
  uint32_t length = take_u32(cursor);
  return (struct text){.bytes = take(cursor, length), .length = length};
}
/* Every element has at least its length field, so a false count cannot make us allocate more than the frame is long. */
static uint32_t take_count(struct cursor *cursor) {
  uint32_t count = take_u32(cursor);
  if (count > (size_t)(cursor->end - cursor->at) / 4) die("malformed frame: list of %u", count);
  return count;
}
static void take_end(const struct cursor *cursor) {
  if (cursor->at != cursor->end) die("malformed frame: %zu bytes too long", (size_t)(cursor->end - cursor->at));
}
static bool has_nul(struct text text) {
  return text.length > 0 && memchr(text.bytes, 0, text.length) != NULL;
}

static void do_env(struct cursor *cursor) {
  uint32_t id = take_u32(cursor), count = take_count(cursor);
  struct text *strings = must_alloc(count * sizeof *strings);
  for (uint32_t i = 0; i < count; i++) {
    strings[i] = take_text(cursor);
  }
  take_end(cursor);
  env_set(id, count, strings);
  free(strings);
}

static char *copy_text(char **to, struct text text) {
  char *copy = *to;
  if (text.length > 0) memcpy(copy, text.bytes, text.length);
  copy[text.length] = '\0';
  *to += text.length + 1;
  return copy;
}

/* Arrays and strings in one allocation, all but the pointers bounded by the length of the frame. */
static struct run *take_run(struct cursor *cursor, uint32_t umask, bool *valid) {
  struct cursor ahead = *cursor;
  for (int i = 0; i < 4; i++) take_text(&ahead);
  uint32_t argc = take_count(&ahead);
  for (uint32_t i = 0; i < argc; i++) take_text(&ahead);
  uint32_t extra_count = take_count(&ahead);
  if (argc == 0) die("malformed frame: no argv");
  size_t pointers = (size_t)argc + 2 + extra_count;
  struct run *run = must_alloc(sizeof *run + pointers * sizeof(char *) + (size_t)(cursor->end - cursor->at));
  run->argv = (char **)(run + 1) + 1;
  run->argc = argc;
  run->extra = run->argv + argc + 1;
  run->extra_count = extra_count;
  run->umask = umask;
  char *to = (char *)(run->extra + extra_count);

  struct text text = take_text(cursor);
  *valid = !has_nul(text);
  run->cwd = copy_text(&to, text);
  text = take_text(cursor);
  *valid &= !has_nul(text);
  run->stdin_path = copy_text(&to, text);
  for (int i = 0; i < 2; i++) {
    text = take_text(cursor);
    *valid &= !has_nul(text);
    run->output_paths[i] = copy_text(&to, text);
  }
  take_u32(cursor);
  for (uint32_t i = 0; i < argc; i++) {
    text = take_text(cursor);
    *valid &= !has_nul(text);
    run->argv[i] = copy_text(&to, text);
  }
  run->argv[argc] = NULL;
  take_u32(cursor);
  for (uint32_t i = 0; i < extra_count; i++) {
    text = take_text(cursor);
    *valid &= !has_nul(text) && text.length > 0;
    run->extra[i] = copy_text(&to, text);
  }
  return run;
}

static void do_run(struct cursor *cursor) {
  struct task *task = must_alloc(sizeof *task);
  task->by_fence.key = take_u64(cursor);
  task->job_id = take_u32(cursor);
  task->position = take_u32(cursor);
  task->attempt = take_u32(cursor);
  uint32_t env_id = take_u32(cursor);
  uint32_t flags = take_u32(cursor);
  if ((flags & ~(uint32_t)(RUN_APPEND | RUN_WARN_MAIN_ONLY)) != 0) die("malformed frame: unknown flags");
  uint32_t queue_id = take_u32(cursor), queue_width = take_u32(cursor);
  task->limit_us = take_u64(cursor) * 1000;
  task->grace_ms = take_u32(cursor);
  task->log_cap = take_u64(cursor);
  uint32_t umask = take_u32(cursor);
  task->cpu_milli = take_u32(cursor);
  task->memory_bytes = take_u64(cursor);
  if (task->memory_bytes != 0 && task->memory_bytes < LEAST_MEMORY_BYTES) task->memory_bytes = LEAST_MEMORY_BYTES;
  task->warn_signal = take_u8(cursor);
  task->warn_before_us = take_u64(cursor) * 1000;
  task->warn_main_only = (flags & RUN_WARN_MAIN_ONLY) != 0;
  bool valid;
  task->run = take_run(cursor, umask, &valid);
  task->run->append = (flags & RUN_APPEND) != 0;
  take_end(cursor);

  enum refusal refused = 0;
  if (F.quitting || F.stopping) refused = REFUSED_QUITTING;
  else if (lease_refuses()) refused = REFUSED_LEASE;
  else if (output_waiting() > BACKLOG_BYTES) refused = REFUSED_BACKLOG;
  else if (task_find(task->by_fence.key) != NULL) refused = REFUSED_DUPLICATE_FENCE;
  else if ((task->run->env = env_use(env_id)) == NULL) refused = REFUSED_UNKNOWN_ENV;
  if (refused == 0 && valid && !task->run->env->invalid) {
    task_run(task, queue_id, queue_width == 0 ? 1 : queue_width);
    return;
  }
  if (refused != 0) event_refused(task->by_fence.key, refused);
  else event_spawn_failed(task->by_fence.key, STEP_EXEC, EINVAL);
  if (task->run->env != NULL) env_release(task->run->env);
  free(task->run);
  free(task);
}

static void do_kill(struct cursor *cursor) {
  uint64_t fence = take_u64(cursor);
  uint8_t cause = take_u8(cursor);
  uint32_t grace_ms = take_u32(cursor);
  take_end(cursor);
  if (cause >= CAUSE_COUNT) die("malformed frame: cause %u", cause);
  struct task *task = task_find(fence);
  if (task == NULL) return;
  if (cause == CAUSE_NONE) task_withdraw(task);
  else task_kill(task, (enum cause)cause, grace_ms);
}

static void do_signal(struct cursor *cursor) {
  uint64_t fence = take_u64(cursor);
  uint8_t signal = take_u8(cursor);
  take_end(cursor);
  struct task *task = task_find(fence);
  if (task != NULL) task_signal(task, signal & ~SIGNAL_MAIN_ONLY, (signal & SIGNAL_MAIN_ONLY) != 0);
}

static void do_limit(struct cursor *cursor) {
  uint64_t fence = take_u64(cursor), limit_ms = take_u64(cursor);
  take_end(cursor);
  struct task *task = task_find(fence);
  if (task != NULL) task_limit(task, limit_ms * 1000);
}

static void do_suspend(struct cursor *cursor) {
  uint64_t fence = take_u64(cursor);
  uint8_t on = take_u8(cursor);
  take_end(cursor);
  struct task *task = task_find(fence);
  if (task == NULL) return;
  if (on != 0) task_suspend(task);
  else task_resume(task);
}

static void do_lease(struct cursor *cursor) {
  uint64_t ms = take_u64(cursor);
  uint8_t clock = take_u8(cursor);
  uint32_t grace_ms = take_u32(cursor);
  uint64_t sent_at_us = take_u64(cursor);
  take_end(cursor);
  lease_set(ms, clock, grace_ms, sent_at_us);
}

static void execute(uint8_t type, struct cursor cursor) {
  switch ((enum command)type) {
    case CMD_ENV:
      do_env(&cursor);
      return;
    case CMD_DROP_ENV:
      env_drop(take_u32(&cursor));
      break;
    case CMD_LOGS: {
      F.max_segment_bytes = take_u64(&cursor);
      struct text directory = take_text(&cursor), tag = take_text(&cursor);
      log_open(directory.bytes, directory.length, tag.bytes, tag.length);
      break;
    }
    case CMD_FORGET_JOB:
      log_forget(take_u32(&cursor));
      break;
    case CMD_RUN:
      do_run(&cursor);
      return;
    case CMD_KILL:
      do_kill(&cursor);
      return;
    case CMD_SIGNAL:
      do_signal(&cursor);
      return;
    case CMD_LIMIT:
      do_limit(&cursor);
      return;
    case CMD_SUSPEND:
      do_suspend(&cursor);
      return;
    case CMD_LEASE:
      do_lease(&cursor);
      return;
    case CMD_QUIT:
      F.quitting = true;
      break;
    default:
      die("unknown command %u", type);
  }
  take_end(&cursor);
}

void input_read(void) {
  if (end - start > MAX_UNREAD_BYTES) return;
  if (end + READ_BYTES > room) {
    if (start > 0) {
      memmove(buffer, buffer + start, end - start);
      end -= start;
      start = 0;
    }
    if (end + READ_BYTES > room) {
      room = end + READ_BYTES + room / 2;
      buffer = must_realloc(buffer, room);
    }
  }
  ssize_t got = read(0, buffer + end, room - end);
  if (got > 0) end += (size_t)got;
  else if (got == 0 || (errno != EAGAIN && errno != EINTR)) F.input_ended = true;
}

bool input_process(void) {
  for (const uint64_t before = F.order; end - start >= 4;) {
    uint32_t length = get_u32(buffer + start);
    if (length == 0 || length > MAX_FRAME_BYTES) die("malformed frame: length %u", length);
    if (end - start - 4 < length) return false;
    const uint8_t *frame = buffer + start + 4;
    if (F.order - before >= STARTS_A_ROUND) return true;
    start += 4 + (size_t)length;
    execute(frame[0], (struct cursor){.at = frame + 1, .end = frame + length});
  }
  if (start == end) {
    start = end = 0;
    if (room > READ_BYTES * 8) {
      free(buffer);
      buffer = NULL;
      room = 0;
    }
  }
  return false;
}
