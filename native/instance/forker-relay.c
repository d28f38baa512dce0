#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../forker/bytes.h"
#include "../forker/protocol.h"
#include "machine.h"

/* The forker of the instance. What it says is kept for agents that come later; the oldest frames but the first (READY) go when it is too much. */
#define KEPT_BYTES (4u << 20)
#define MOST_FORKER_FRAME (4u << 20)
#define MOST_WAITING (8u << 20)
#define READ_BYTES 16384

struct bytes {
  uint8_t *at;
  size_t length, room;
};

static struct bytes said, waiting, partial;
static uint64_t dropped; /* bytes between the first frame and the rest of `said` */
static size_t first_length;
static void from_ready(struct watch *watch, uint32_t events), to_ready(struct watch *watch, uint32_t events);
static struct watch from = {.ready = from_ready, .fd = -1}, to = {.ready = to_ready, .fd = -1};
static bool input_ends;

static uint8_t *make_room(struct bytes *bytes, size_t more) {
  if (bytes->length + more > bytes->room) {
    size_t room = bytes->room == 0 ? 1024 : bytes->room;
    while (room < bytes->length + more) room *= 2;
    uint8_t *larger = realloc(bytes->at, room);
    if (larger == NULL) {
      note("no memory for %zu bytes", room);
      _exit(1);
    }
    bytes->at = larger;
    bytes->room = room;
  }
  return bytes->at + bytes->length;
}

static void append(struct bytes *bytes, const uint8_t *more, size_t length) {
  memcpy(make_room(bytes, length), more, length);
  bytes->length += length;
}

static void forget(struct bytes *bytes, size_t first) {
  memmove(bytes->at, bytes->at + first, bytes->length - first);
  bytes->length -= first;
  if (bytes->length > 0) return;
  free(bytes->at);
  *bytes = (struct bytes){0};
}

/* Whole frames only: whoever reads from there must find their begin. */
static void drop_oldest(void) {
  size_t length = first_length;
  while (length + 4 <= said.length && said.length - (length - first_length) > KEPT_BYTES / 2) length += 4 + (size_t)get_u32(said.at + length);
  if (length > said.length) return;
  memmove(said.at + first_length, said.at + length, said.length - length);
  said.length -= length - first_length;
  dropped += length - first_length;
  note("the forker said more than is kept: its oldest words are gone");
}

static void from_ready(struct watch *watch, uint32_t events) {
  (void)events;
  limits_look_now();
  make_room(&said, READ_BYTES);
  ssize_t got = read(watch->fd, said.at + said.length, READ_BYTES);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    watch_close(watch);
    return;
  }
  said.length += (size_t)got;
  if (first_length == 0 && said.length >= 4) first_length = 4 + (size_t)get_u32(said.at);
  if (said.length > KEPT_BYTES) drop_oldest();
  agent_wake();
}

const uint8_t *forker_said(uint64_t at, size_t *length, bool *lost) {
  *lost = dropped > 0 && at > 0 && at != first_length && at < first_length + dropped;
  if (*lost) return NULL;
  /* Somebody who begins gets the first frame and then what is kept. */
  if (dropped > 0 && at < first_length) {
    *length = first_length - (size_t)at;
    return said.at + at;
  }
  size_t place = at <= first_length ? (size_t)at : (size_t)(at - dropped);
  if (place >= said.length) return NULL;
  *length = said.length - place;
  return said.at + place;
}

uint64_t forker_skip(uint64_t at) {
  return dropped > 0 && at == first_length ? first_length + dropped : at;
}

uint64_t forker_end(void) {
  return said.length + dropped;
}

bool forker_is_silent(void) {
  return from.fd < 0;
}

static void flush(void) {
  size_t done = 0;
  while (to.fd >= 0 && done < waiting.length) {
    ssize_t wrote = write(to.fd, waiting.at + done, waiting.length - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    done += (size_t)wrote;
  }
  if (done > 0) forget(&waiting, done);
  if (to.fd >= 0) watch_change(&to, waiting.length > 0 ? EPOLLOUT : 0);
  if (input_ends && waiting.length == 0 && to.fd >= 0) watch_close(&to);
}

static void to_ready(struct watch *watch, uint32_t events) {
  if ((events & EPOLLERR) != 0) watch_close(watch);
  else flush();
}

bool forker_is_full(void) {
  return waiting.length > MOST_WAITING;
}

void forker_agent_changed(void) {
  free(partial.at);
  partial = (struct bytes){0};
}

bool forker_take(const uint8_t *bytes, size_t length) {
  append(&partial, bytes, length);
  size_t at = 0;
  while (partial.length - at >= 5) {
    size_t frame = get_u32(partial.at + at);
    if (frame == 0 || frame > MOST_FORKER_FRAME) return false;
    if (partial.length - at - 4 < frame) break;
    uint8_t type = partial.at[at + 4];
    if (type != CMD_LEASE && type != CMD_QUIT && to.fd >= 0 && !input_ends) append(&waiting, partial.at + at, 4 + frame);
    at += 4 + frame;
  }
  if (at > 0) forget(&partial, at);
  flush();
  return true;
}

void forker_close_input(void) {
  input_ends = true;
  flush();
  /* One that does not read is not waited for. */
  if (to.fd >= 0) watch_close(&to);
}

bool forker_start(void) {
  int in[2], out[2], failed[2], error = 0;
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0) return false;
  /* What is left of a killed instance is found by this variable. */
  char mark[PATH_MAX + 32] = "SPAWN_RUN_DIR=/run/spawn";
  const char *program = forker_place();
  if (M.conf.plain) snprintf(mark, sizeof mark, "SPAWN_RUN_DIR=%s", M.conf.run_dir);
  M.forker = fork();
  if (M.forker < 0) return false;
  if (M.forker == 0) {
    limits_join();
    setsid();
    plain_signals();
    if (dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1) execve(program, (char *[]){"forker", NULL}, (char *[]){mark, NULL});
    error = errno;
    ssize_t wrote = write(failed[1], &error, sizeof error);
    _exit(wrote > 0 ? 126 : 127);
  }
  close(in[0]);
  close(out[1]);
  close(failed[1]);
  ssize_t got = read(failed[0], &error, sizeof error);
  close(failed[0]);
  if (got != 0) {
    errno = got == (ssize_t)sizeof error ? error : EIO;
    return false;
  }
  from.fd = out[0];
  to.fd = in[1];
  fcntl(from.fd, F_SETFL, O_NONBLOCK);
  fcntl(to.fd, F_SETFL, O_NONBLOCK);
  return watch_add(&from, EPOLLIN) && watch_add(&to, 0);
}
